"""What a failure of the portal means for reading it. Pure."""

from __future__ import annotations

from b24app.rest.errors import (
    AccessDenied,
    BadRequest,
    MethodBlocked,
    NotFound,
    Overloaded,
    PaymentRequired,
    PortalGone,
    RestError,
    RestSwitchedOff,
    RetryLater,
    ScopeMissing,
    TokenDead,
    TokenExpired,
)

FIRST_WAIT_S = 2.0
LAST_WAIT_S = 300.0
HOUR_S = 3600.0


def wait_s(error: RestError, failures: int, now: float) -> float:
    """Seconds until reading is worth another try, after that many failures in a row (from 1)."""
    if isinstance(error, PaymentRequired | RestSwitchedOff):
        return HOUR_S
    if isinstance(error, TokenDead):
        return 10.0  # costs nothing: a new token is noticed in the database
    grown = min(LAST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 1, 20))
    if isinstance(error, MethodBlocked):
        return max(grown, error.until - now)
    if isinstance(error, Overloaded | RetryLater):
        return max(grown, error.retry_after_s)
    return grown


def portal_state(error: RestError) -> str | None:
    """The state that the portal is in after this error; None: still the one it was in."""
    if isinstance(error, PaymentRequired):
        return "unpaid"
    return "gone" if isinstance(error, PortalGone) else None


def concerns_portal(error: RestError) -> bool:
    """Whether the error is no matter of a single list."""
    whole = PaymentRequired | PortalGone | TokenDead | TokenExpired | RestSwitchedOff | Overloaded
    return error.method.lower() == "batch" or isinstance(error, whole)


def off_reason(error: RestError) -> str | None:
    """Why a source cannot be read at all; None: it can, later.

    Only the answer to a list's own command says so: a batch that is refused as a whole says nothing of it.
    """
    if error.method.lower() == "batch":
        return None
    if isinstance(error, ScopeMissing):
        return "missing_scope"
    if isinstance(error, RestSwitchedOff):
        return None  # concerns the portal, not the source
    if isinstance(error, AccessDenied):
        return "access_denied"
    return "source_off" if isinstance(error, NotFound | BadRequest) else None


def label(error: RestError) -> str:
    """A short code for people and logs, without the portal's texts."""
    return (error.code or type(error).__name__).lower()[:64]
