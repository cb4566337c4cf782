"""From the form that a portal posts into a frame to a proven person. Pure: the calls are made elsewhere.

Nothing in that form is signed, and everyone can post one. What proves: the authorization server's answer
about the token (`app.info`), and the portal's secret, once it is known. The form's other fields are compared
with these and never used as addresses.
Source: settings/cloud-and-on-premise/security-recommendations.md,
api-reference/widgets/_includes/widget_data.md
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol
from urllib.parse import urlsplit

from b24app.crypto import same
from b24app.rest.addresses import host_of
from b24app.rest.errors import AddressRefused


class Reason(StrEnum):
    """Why a launch is refused; the key of its text in the translations."""

    NOT_A_LAUNCH = "not_a_launch"
    EXPIRED = "expired"
    FOREIGN_APP = "foreign_app"
    FOREIGN_PORTAL = "foreign_portal"
    FOREIGN_DOMAIN = "foreign_domain"
    FOREIGN_SERVER = "foreign_server"
    WRONG_SECRET = "wrong_secret"  # noqa: S105  a name of a reason
    NOT_INSTALLED = "not_installed"
    ADMIN_ONLY = "admin_only"
    NO_ACCESS = "no_access"
    PRIVATE_ADDRESS = "private_address"
    NO_RECORD = "no_record"
    UNPAID = "unpaid"
    UNCONFIRMED = "unconfirmed"


STATUSES = {
    Reason.NOT_A_LAUNCH: 400,
    Reason.EXPIRED: 401,
    Reason.UNPAID: 402,
    Reason.NO_RECORD: 400,
    Reason.UNCONFIRMED: 503,
}


class Refused(Exception):
    """The launch is not let in. `detail` is for the log, without secrets."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail

    @property
    def status(self) -> int:
        return STATUSES.get(self.reason, 403)


@dataclass(frozen=True, slots=True)
class Launch:
    """What the form says. Not proven."""

    member_id: str
    access: str = field(repr=False)
    refresh: str | None = field(default=None, repr=False)
    expires_in: int = 3600
    domain: str | None = None
    lang: str = "en"
    server_endpoint: str | None = None
    application_token: str | None = field(default=None, repr=False)
    placement: str = "DEFAULT"
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, form: Mapping[str, str], query: Mapping[str, str]) -> Launch:
        """A launch from body and query; a field counts wherever it stands, the body first.

        Raises: Refused(NOT_A_LAUNCH) without a token or a portal's id.
        """
        fields = {name.upper(): value.strip() for name, value in (*query.items(), *form.items())}
        access, member_id = fields.get("AUTH_ID", ""), fields.get("MEMBER_ID", "").lower()
        if not access or not member_id:
            raise Refused(Reason.NOT_A_LAUNCH, "no AUTH_ID or member_id")
        if len(access) > 512 or len(member_id) > 32 or not member_id.isalnum():
            raise Refused(Reason.NOT_A_LAUNCH, "AUTH_ID or member_id is not one")
        expires = fields.get("AUTH_EXPIRES", "")
        return cls(
            member_id=member_id,
            access=access,
            refresh=fields.get("REFRESH_ID") or None,
            expires_in=int(expires) if expires.isdecimal() and len(expires) < 10 else 3600,
            domain=fields.get("DOMAIN") or None,
            lang=fields.get("LANG", "en").lower()[:2] or "en",
            server_endpoint=fields.get("SERVER_ENDPOINT") or None,
            application_token=fields.get("APPLICATION_TOKEN") or None,
            placement=fields.get("PLACEMENT", "").upper() or "DEFAULT",
            options=options(fields.get("PLACEMENT_OPTIONS", "")),
        )

    def number(self, key: str | None) -> int | None:
        """A record's id from the placement options; None if absent, zero or no number."""
        value = str(self.options.get(key, "")) if key else ""
        return int(value) or None if value.isdecimal() and len(value) < 16 else None


def options(text: str) -> Mapping[str, Any]:
    """Placement options; empty for a missing, broken or odd value (`[]` is PHP's empty object)."""
    try:
        value = json.loads(text) if text else {}
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


class Answer(Protocol):
    """What the authorization server says about a token."""

    @property
    def client_id(self) -> str: ...
    @property
    def member_id(self) -> str: ...
    @property
    def domain(self) -> str: ...
    @property
    def endpoint(self) -> str: ...


def confirm(launch: Launch, answer: Answer, client_id: str) -> None:
    """Hold the form against the authorization server's answer about its token.

    Raises: Refused naming the first contradiction.
    """
    if not same(answer.client_id, client_id):
        raise Refused(Reason.FOREIGN_APP, "the token was made for another application")
    if not answer.member_id or answer.member_id.lower() != launch.member_id:
        raise Refused(Reason.FOREIGN_PORTAL, "the token belongs to another portal")
    if launch.domain is not None and not is_same_host(launch.domain, answer.endpoint, answer.domain):
        raise Refused(Reason.FOREIGN_DOMAIN, "DOMAIN is not the portal's")


def is_same_host(claimed: str, *proven: str) -> bool:
    """Whether the claimed `host[:port]` is one of the proven addresses; never for a malformed one."""
    try:
        return host_of(claimed).lower() in {host_of(address).lower() for address in proven if address}
    except AddressRefused:
        return False


def check_secret(posted: str | None, stored: str | None) -> bool:
    """Whether the portal's secret was given and is right; False where one of the two is unknown.

    Raises: Refused(WRONG_SECRET) when both are there and differ.
    """
    if not posted or not stored:
        return False
    if not same(posted, stored):
        raise Refused(Reason.WRONG_SECRET, "APPLICATION_TOKEN is not the portal's")
    return True


def origin(endpoint: str) -> str:
    """`scheme://host[:port]` of a portal's REST address, as browsers compare it."""
    return f"{urlsplit(endpoint).scheme}://{host_of(endpoint)}"
