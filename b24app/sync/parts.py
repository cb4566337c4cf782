"""What reading a portal needs of the app's parts."""

from __future__ import annotations

from typing import Protocol

from sqlalchemy import Engine

from b24app.rest.client import PortalClient


class Parts(Protocol):
    """The database and a way to the portal; `bootstrap.Parts` is one."""

    @property
    def engine(self) -> Engine: ...

    def client(
        self, portal_id: int, user_id: int | None = None, *, background: bool = True, ahead: bool = False
    ) -> PortalClient:
        """A client with the token of that user, or of the portal's reader; see `PortalClient`."""
        ...
