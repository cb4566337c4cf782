"""Secrets at rest and signed tokens. Several keys: the first writes, all read."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from itsdangerous import BadSignature, URLSafeSerializer

from b24app import clock


class Unreadable(Exception):
    """A sealed text was written with a key that is no longer configured, or was damaged."""


class BadToken(Exception):
    """A signed token is forged, damaged, past its time or made for another purpose."""


class Vault:
    """Encrypts what must not be readable in the database."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(_derive(key, "vault"))) for key in keys])

    def seal(self, text: str) -> str:
        """The text encrypted with the first key; ASCII."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """The text again. Raises: Unreadable."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise Unreadable("sealed with a key that is not configured") from error

    def rotate(self, sealed: str) -> str:
        """The same text sealed with the first key. Raises: Unreadable."""
        try:
            return self._fernet.rotate(sealed.encode()).decode("ascii")
        except InvalidToken as error:
            raise Unreadable("sealed with a key that is not configured") from error


class Signer:
    """Makes and reads tokens that hold a few claims, for one purpose, until a moment."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = tuple(keys)

    def sign(self, purpose: str, claims: Mapping[str, Any], seconds: int) -> str:
        """A URL-safe token with the claims, good for that many seconds."""
        return self._serializer(purpose).dumps({**claims, "exp": clock.epoch() + seconds})

    def read(self, purpose: str, token: str) -> dict[str, Any]:
        """The claims of a token. Raises: BadToken."""
        try:
            claims = self._serializer(purpose).loads(token)
        except BadSignature as error:
            raise BadToken("not signed here") from error
        if not isinstance(claims, dict) or not isinstance(claims.get("exp"), int):
            raise BadToken("not a token of this kind")
        if claims["exp"] <= clock.epoch():
            raise BadToken("expired")
        return claims

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        # The purpose is the salt: a token made for one door opens no other. The last key of the list signs.
        keys = [_derive(key, "sign") for key in reversed(self._keys)]
        return URLSafeSerializer(
            keys, salt=f"b24app.{purpose}", signer_kwargs={"digest_method": hashlib.sha256}
        )


def same(first: str, second: str) -> bool:
    """Whether two secrets are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(first.encode(), second.encode())


def _derive(key: str, purpose: str) -> bytes:
    return hmac.new(key.encode(), f"b24app {purpose}".encode(), hashlib.sha256).digest()
