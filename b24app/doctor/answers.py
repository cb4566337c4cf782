"""What a portal's refusal means to an operator, and what to do about it."""

from __future__ import annotations

SEE_LOG = "Look for the portal's number in var/log/rest-*.log."
WAIT = "Wait some minutes. If it comes back, see which other programs read this portal."
BY_OUTCOME: dict[str, tuple[str, str]] = {
    "rate_limited": ("The portal refuses requests because there are too many (503)", WAIT),
    "method_blocked": (
        "The portal blocks the method: its operating time is used up (429)",
        WAIT,
    ),
    "overloaded": (
        "The portal has blocked REST because of overload",
        "Stop background work for this portal's sake and write to the platform's support.",
    ),
    "token_expired": (
        "The portal refuses the token right after a refresh",
        "Let an admin open the app on the portal.",
    ),
    "token_dead": ("The token is dead", "Let an admin open the app on the portal."),
    "wrong_client": (
        "The authorization server does not know our credentials",
        "Correct B24APP_CLIENT_ID and B24APP_CLIENT_SECRET.",
    ),
    "moved": ("The portal has moved to an address that is not confirmed", "Let an admin open the app there."),
    "timeout": ("The portal does not answer in time", "See whether it opens in a browser from this machine."),
    "unreachable": (
        "The portal cannot be reached",
        "See whether it opens in a browser; check names, firewall and certificates of this machine.",
    ),
    "garbage": (
        "Something else answers in the portal's place",
        "See what stands at its address: a proxy, a page of maintenance, a login.",
    ),
    "server_error": ("The portal is in trouble itself", "Wait; reading goes on by itself."),
    "scope_missing": (
        "The token has not the permissions that we need",
        "Tick the scopes of README.md on the portal's card of the app and install it again.",
    ),
    "denied": (
        "The portal refuses access",
        "See that its plan has REST and that the reader's account may use the app.",
    ),
    "unpaid": ("The app's paid period on this portal is over", "Let the portal's admin prolong it."),
    "gone": (
        "The portal was deleted, or the app removed from it",
        "If it lives, let an admin open the app there.",
    ),
    "address_refused": (
        "The portal's address is private, or not https",
        "Set B24APP_ALLOW_PRIVATE_PORTALS=1 if it is one of yours.",
    ),
}

OTHER = ("The portal answers with an error", SEE_LOG)
