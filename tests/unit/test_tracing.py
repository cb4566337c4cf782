from __future__ import annotations

import json
import logging
import sys
import threading

import pytest

from b24app import journal, trace
from b24app.logs import Line, cleaned
from b24app.rest import errors, outcomes
from b24app.soon import Soon


@pytest.mark.parametrize("given", ["abcdef12", "a-B_9" * 10, "0" * 64])
def test_a_callers_number_is_taken(given: str) -> None:
    assert trace.accepted(given) == given


@pytest.mark.parametrize(
    "given", [None, "", "short", "0" * 65, "two words", 'a"},{"x":"y', "line\nbreak99", "ünicode99"]
)
def test_what_is_no_number_is_replaced(given: str | None) -> None:
    found = trace.accepted(given)
    assert found != given
    assert trace.WELL_FORMED.fullmatch(found)


def test_work_in_other_threads_goes_under_the_number_of_who_asked() -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(trace.current())

    soon = Soon(threads=1)
    with trace.under("asked-first"):
        soon.submit(look).result(5)
        thread = threading.Thread(target=trace.carried(look))
        thread.start()
        thread.join()
    soon.submit(look).result(5)
    assert seen == ["asked-first", "asked-first", None]


def test_a_line_of_the_journal_says_when_what_and_for_which_request(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with trace.under("number-1"):
        journal.write(journal.OWN, "job", {"work": "refresh", "portal": 7, "code": None})
    told = json.loads(caplog.records[-1].getMessage())
    assert told.pop("at").endswith("+00:00")
    assert told == {"event": "job", "request": "number-1", "work": "refresh", "portal": 7}


@pytest.mark.parametrize(
    "text",
    [
        "GET /oauth/token/?grant_type=x&client_secret=SECRET12345&refresh_token=SECRET12345",
        "AUTH_ID=SECRET12345&x=1",
        '{"auth": "SECRET12345"}',
        "Authorization: Bearer SECRET12345.a-b",
        "?code=SECRET12345&state=1",
        "{'access_token': 'SECRET12345'}",
    ],
)
def test_what_looks_like_a_secret_is_blanked(text: str) -> None:
    assert "SECRET12345" in text
    assert "SECRET12345" not in cleaned(text)


def test_plain_sentences_stay_as_they_are() -> None:
    text = "reconciling portal 7: expired_token; method crm.item.list, auth server https://oauth.bitrix.info"
    assert cleaned(text) == text


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_names_the_request_and_keeps_the_trace_without_secrets(form: str) -> None:
    try:
        raise ValueError("refused ?auth=SECRET12345")
    except ValueError:
        record = logging.LogRecord("b24app", logging.ERROR, "", 0, "it %s", ("broke",), sys.exc_info())
    with trace.under("number-2"):
        line = Line(form).format(record)
    assert "number-2" in line
    assert "it broke" in line
    assert "ValueError" in line
    assert "SECRET12345" not in line
    if form == "json":
        told = json.loads(line)
        assert (told["level"], told["logger"], told["request"]) == ("error", "b24app", "number-2")


def every_error() -> list[type[errors.RestError]]:
    found, todo = [], [errors.RestError]
    while todo:
        kind = todo.pop()
        found.append(kind)
        todo.extend(kind.__subclasses__())
    return found


def test_every_error_of_a_portal_has_a_word_out_of_the_list() -> None:
    words = {
        kind: outcomes.of(kind("x", status=302) if kind is errors.Moved else kind("x"))
        for kind in every_error()
    }
    assert set(words.values()) < set(outcomes.NAMES)
    assert [kind for kind, word in words.items() if word == "other"] == [errors.RestError]
    assert words[errors.TimedOut] == "timeout"
    assert words[errors.Unreachable] == "unreachable"
    assert words[errors.RateLimited] == "rate_limited"
    assert words[errors.MethodBlocked] == "method_blocked"
    assert words[errors.RestSwitchedOff] == "denied"
    assert outcomes.of(None) == "ok"
