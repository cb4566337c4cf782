"""What the portal's events about the app's own life mean: an event becomes an intent. Pure.

Everyone can post to the address of events. The portal's secret proves the portal; where it is unknown or
differs, a token that the authorization server confirms does, and only for events that carry one.
Source: api-reference/common/events/*.md, api-reference/events/safe-event-handlers.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from b24app.portals.launch import Reason, Refused, check_secret


class Intent(StrEnum):
    """What has to happen."""

    ENROL = "enrol"  # prove the token that came, store portal and tokens, register everything
    REMOVE = "remove"  # forget the tokens, stop
    PURGE = "purge"  # the same, and remove every stored row
    SUSPEND = "suspend"  # payment has run out
    RESUME = "resume"  # paid again
    CHECK = "check"  # ask the portal itself: the event proves nothing
    LOOK = "look"  # something has changed in the data
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Notice:
    """An event as posted. Not proven."""

    event: str
    member_id: str
    application_token: str | None = field(default=None, repr=False)
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    access: str | None = field(default=None, repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_in: int = 3600
    server_endpoint: str | None = None

    @classmethod
    def parse(cls, pairs: Iterable[tuple[str, str]]) -> Notice:
        """A notice from form fields in PHP's bracket notation.

        Raises: Refused(NOT_A_LAUNCH) without an event's name or a portal's id.
        """
        tree = nested(pairs)
        auth, data = tree.get("auth"), tree.get("data")
        auth = auth if isinstance(auth, dict) else {}

        def told(name: str) -> str | None:
            value = auth.get(name)
            return value if isinstance(value, str) and value else None

        event = tree.get("event")
        member_id = (told("member_id") or "").lower()
        if not isinstance(event, str) or not event or not member_id.isalnum() or len(member_id) > 32:
            raise Refused(Reason.NOT_A_LAUNCH, "no event or no member_id")
        expires = told("expires_in") or ""
        return cls(
            event=event.upper(),
            member_id=member_id,
            application_token=told("application_token"),
            data=data if isinstance(data, dict) else {},
            access=told("access_token"),
            refresh=told("refresh_token"),
            expires_in=int(expires) if expires.isdecimal() and len(expires) < 10 else 3600,
            server_endpoint=told("server_endpoint"),
        )

    @property
    def wants_cleaning(self) -> bool:
        return str(self.data.get("CLEAN", "0")).upper() in ("1", "Y", "TRUE")


PROVABLE = frozenset({"ONAPPINSTALL", "ONAPPUPDATE"})
"""Events that bring a token of their own, so that a secret that is new to us can be proven."""

TOKENLESS = frozenset({"ONAPPUNINSTALL", "ONAPPPAYMENT"})
"""Events that may come without anything that proves them."""


def decide(notice: Notice, *, known: bool, secret: str | None) -> Intent:
    """What to do about an event.

    known: whether the portal is stored. secret: its application_token, None while it has not told it.
    Raises: Refused where the event contradicts what is known of the portal.
    """
    try:
        genuine = check_secret(notice.application_token, secret)
    except Refused:
        if notice.event in PROVABLE and notice.access:
            return Intent.ENROL  # an update may bring a new secret: the token it came with decides
        raise
    if notice.event in PROVABLE and notice.access:
        return Intent.ENROL
    if not known:
        raise Refused(Reason.FOREIGN_PORTAL, "an event of an unknown portal")
    if not genuine:
        if notice.event in TOKENLESS:
            return Intent.CHECK
        raise Refused(Reason.WRONG_SECRET, "an event that nothing proves")
    if notice.event == "ONAPPUNINSTALL":
        return Intent.PURGE if notice.wants_cleaning else Intent.REMOVE
    if notice.event == "ONAPPPAYMENT":
        expired = str(notice.data.get("PAYMENT_EXPIRED", "")).upper()
        return {"Y": Intent.SUSPEND, "N": Intent.RESUME}.get(expired, Intent.CHECK)
    return (
        Intent.LOOK
        if notice.event.startswith("ONCRM") or notice.event == "ONOFFLINEEVENT"
        else Intent.NOTHING
    )


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Fields such as `data[FIELDS][ID]` as a tree; a field that contradicts an earlier one is dropped."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        head, *rest = name.replace("]", "").split("[")
        level, path = tree, [head, *rest]
        for key in path[:-1]:
            inner = level.setdefault(key, {})
            if not isinstance(inner, dict):
                break
            level = inner
        else:
            if not isinstance(level.get(path[-1]), dict):
                level[path[-1]] = value
    return tree
