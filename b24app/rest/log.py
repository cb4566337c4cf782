"""What becomes of requests to portals and authorization servers: a line in the journal and a number each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from b24app import journal, meters
from b24app.rest import outcomes
from b24app.rest.errors import RestError


def write(event: str, fields: Mapping[str, Any]) -> None:
    """A line that is no request."""
    journal.write(journal.PORTALS, event, fields)


def call(told: Mapping[str, Any], who: str, error: RestError | None, seconds: float) -> None:
    """One request to a portal, for `people` or in the `background`, and what it came to."""
    outcome = outcomes.of(error)
    meters.portal_request(who, outcome, seconds)
    write("rest.call", {**told, **_ending(outcome, error, seconds), "for": who})


def commands(answers: Iterable[object]) -> None:
    """What the commands of a batch came to."""
    for answer in answers:
        meters.portal_command(outcomes.of(answer if isinstance(answer, RestError) else None))


def oauth(told: Mapping[str, Any], error: RestError | None, seconds: float) -> None:
    """One request to an authorization server."""
    outcome = outcomes.of(error)
    meters.oauth_request(str(told["method"]), outcome)
    write("oauth.call", {**told, **_ending(outcome, error, seconds)})


def _ending(outcome: str, error: RestError | None, seconds: float) -> dict[str, Any]:
    code = None if error is None else error.code or type(error).__name__
    return {"outcome": outcome, "code": code, "ms": round(seconds * 1000)}


def size_of(result: Any) -> int | None:
    """How many rows an answer holds, None if it is no list of rows."""
    if isinstance(result, list):
        return len(result)
    if isinstance(result, dict):
        for value in result.values():
            if isinstance(value, list):
                return len(value)
    return None
