"""Where a client gets its tokens and the portal's address from."""

from __future__ import annotations

from typing import Protocol

from b24app.rest.errors import AddressRefused, TokenDead


class TokenSource(Protocol):
    """Tokens of one user of one portal."""

    def endpoint(self) -> str:
        """The portal's REST address, `https://host/rest/`."""
        ...

    def access(self) -> str:
        """An access token that should work now.

        Raises:
            RestError: there is none to be had.
        """
        ...

    def renew(self, stale: str) -> str:
        """An access token other than `stale`, which the portal has refused.

        Raises:
            TokenDead: the refresh token is refused too.
            RetryLater: the authorization server cannot be asked now; nothing is lost.
        """
        ...

    def moved(self, location: str) -> None:
        """Take over the portal's new address, once the authorization server confirms it.

        Raises:
            AddressRefused: it does not.
        """
        ...


class FixedToken:
    """One access token that lives as long as it lives, such as that of a launch being verified."""

    def __init__(self, endpoint: str, access: str) -> None:
        self._endpoint = endpoint
        self._access = access

    def endpoint(self) -> str:
        return self._endpoint

    def access(self) -> str:
        return self._access

    def renew(self, stale: str) -> str:
        raise TokenDead("expired_token", "this token cannot be refreshed")

    def moved(self, location: str) -> None:
        raise AddressRefused("address_refused", "the portal answers with a redirect")
