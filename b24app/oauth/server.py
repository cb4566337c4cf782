"""The authorization servers: exchange a code, refresh a pair, ask whose a token is. Through Authlib.

The client secret and refresh tokens go to configured servers only, whatever a request names.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import requests
from authlib.common.urls import add_params_to_uri
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

from b24app.rest import log
from b24app.rest.addresses import host_of
from b24app.rest.decipher import Reply, decipher, to_int, to_map, to_unix_time
from b24app.rest.errors import (
    AddressRefused,
    GarbageAnswer,
    RestError,
    TokenDead,
    TokenExpired,
    classify,
)
from b24app.rest.transport import USER_AGENT, exchange, open_session, unreachable

TIMEOUT_S = 15.0
_BY_US = "client_credentials_in_query"


class OAuthSettings(Protocol):
    """What this module needs of the app's settings."""

    @property
    def client_id(self) -> str: ...
    @property
    def client_secret(self) -> str: ...
    @property
    def oauth_urls(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What the authorization server issued. `expires_at` is unix time by our own clock."""

    access: str
    refresh: str
    expires_at: int
    member_id: str
    endpoint: str
    user_id: int | None
    scopes: tuple[str, ...]
    status: str

    def __repr__(self) -> str:  # a pair in a log or traceback is a leak
        return f"TokenPair(member_id={self.member_id!r}, user_id={self.user_id!r})"


@dataclass(frozen=True, slots=True)
class AppInfo:
    """Whose an access token is, as the authorization server says. `expires_at` is unix time, 0 if unsaid."""

    client_id: str
    member_id: str
    user_id: int
    domain: str
    endpoint: str
    scopes: tuple[str, ...]
    status: str
    installed: bool
    expires_at: int


class AuthServer:
    """The configured authorization servers. `server` arguments are what a portal named, or None."""

    def __init__(self, settings: OAuthSettings, *, clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._clock = clock
        self._urls = {host_of(url): url.rstrip("/") for url in settings.oauth_urls}
        # They are named by the operator: a private address is his decision.
        self._session = open_session(allow_private=True, hosts=8)

    def choose(self, server: str | None) -> str:
        """The configured server that `server` (its address or a `server_endpoint`) names; None: the default.

        Raises:
            AddressRefused: it is none of ours.
        """
        if not server:
            return next(iter(self._urls.values()))
        url = self._urls.get(host_of(server))
        if url is None:
            raise AddressRefused("unknown_auth_server", "not one of the configured authorization servers")
        return url

    def exchange_code(self, code: str, server: str | None = None) -> TokenPair:
        """The tokens for an authorization code.

        Raises:
            TokenDead: the code is refused. Others as `refresh`.
        """
        return self._grant(server, "authorization_code", code=code)

    def refresh(self, refresh_token: str, server: str | None = None) -> TokenPair:
        """A new pair. The old refresh token may be dead from now on.

        Raises:
            TokenDead: refused for good (invalid_grant).
            PaymentRequired, AppRemoved, WrongClient: by what the server says.
            RetryLater: no proper answer; the old refresh token may still be good, or may not.
        """
        return self._grant(server, "refresh_token", refresh_token=refresh_token)

    def app_info(self, token: str, server: str | None = None) -> AppInfo:
        """Whose the access token is.

        Raises:
            TokenExpired: the server does not know it (any more).
            RestError: no proper answer.
        """
        url = self.choose(server)
        started = time.monotonic()
        told: dict[str, Any] = {"server": host_of(url), "method": "app.info"}
        failure: RestError | None = None
        try:
            answer = exchange(
                self._session, "GET", f"{url}/rest/app.info", params={"auth": token}, timeout_s=TIMEOUT_S
            )
            told["status"] = answer.status
            reply = decipher(answer.status, answer.headers, answer.body, method="app.info", now=self._clock())
            return parse_app_info(reply)
        except RestError as error:
            failure = error
            if isinstance(error, TokenDead):
                # Here every refusal is about the token that was asked for.
                raise TokenExpired(error.code, error.description, status=error.status) from None
            raise
        finally:
            log.oauth(told, failure, time.monotonic() - started)

    def _grant(self, server: str | None, grant_type: str, **secret: str) -> TokenPair:
        url = self.choose(server)
        started = time.monotonic()
        told: dict[str, Any] = {"server": host_of(url), "method": grant_type}
        failure: RestError | None = None
        try:
            answer = self._fetch_token(f"{url}/oauth/token/", grant_type, secret)
            return parse_token_pair(answer, self._clock())
        except RestError as error:
            failure = error
            error.method = grant_type
            raise
        finally:
            log.oauth(told, failure, time.monotonic() - started)

    def _fetch_token(self, url: str, grant_type: str, secret: Mapping[str, str]) -> Mapping[str, Any]:
        # A session of its own: Authlib keeps the last token in it, and these are many people's.
        session = OAuth2Session(
            self._settings.client_id, self._settings.client_secret, token_endpoint_auth_method=_BY_US
        )
        session.trust_env = False
        session.verify = self._session.verify
        session.headers["User-Agent"] = USER_AGENT
        session.register_client_auth_method((_BY_US, _put_into_query))
        session.mount("https://", self._session.get_adapter(url))
        session.mount("http://", self._session.get_adapter(url))
        try:
            # Their token endpoint is read by GET; a redirect would carry the secret elsewhere.
            return dict(
                session.fetch_token(
                    url,
                    method="GET",
                    grant_type=grant_type,
                    timeout=(5.0, TIMEOUT_S),
                    allow_redirects=False,
                    **secret,
                )
            )
        except OAuthError as error:
            failure: RestError = classify(error.error, error.description, status=400)
        except requests.HTTPError as error:
            status = error.response.status_code if error.response is not None else 0
            failure = GarbageAnswer("no_json", "the authorization server answers no JSON", status=status)
        except requests.RequestException as error:
            failure = unreachable(error, host_of(url))
        except ValueError:
            failure = GarbageAnswer("no_json", "the authorization server answers no JSON", status=200)
        raise failure  # without its cause, which quotes the URL and the secret in it


def split_scopes(text: object) -> tuple[str, ...]:
    """Scope names, lower case, in order; the platform separates them by commas, sometimes by spaces."""
    words = text if isinstance(text, list) else str(text or "").replace(",", " ").split()
    return tuple(dict.fromkeys(str(word).strip().lower() for word in words if str(word).strip()))


def parse_token_pair(answer: Mapping[str, Any], now: float) -> TokenPair:
    """The pair in a token endpoint's answer.

    Raises:
        GarbageAnswer: an answer without tokens.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not isinstance(access, str) or not isinstance(refresh, str) or not access or not refresh:
        raise GarbageAnswer("no_tokens", "the authorization server's answer has no tokens", status=200)
    return TokenPair(
        access=access,
        refresh=refresh,
        # `expires` would be by the server's clock; the lifetime counts by ours.
        expires_at=int(now) + (to_int(answer.get("expires_in")) or 3600),
        member_id=str(answer.get("member_id") or ""),
        endpoint=str(answer.get("client_endpoint") or ""),
        user_id=to_int(answer.get("user_id")),
        scopes=split_scopes(answer.get("scope")),
        status=str(answer.get("status") or "").upper(),
    )


def parse_app_info(reply: Reply) -> AppInfo:
    """The answer of the authorization server's app.info.

    Raises:
        GarbageAnswer: it does not say whose the token is.
    """
    result = to_map(reply.result)
    install = to_map(result.get("install"))
    user_id = to_int(result.get("user_id"))
    endpoint = str(install.get("client_endpoint") or "")
    member_id = str(install.get("member_id") or "")
    if user_id is None or not endpoint or not member_id:
        raise GarbageAnswer("no_app_info", "app.info does not say whose the token is", status=200)
    return AppInfo(
        client_id=str(result.get("client_id") or ""),
        member_id=member_id,
        user_id=user_id,
        domain=str(install.get("domain") or host_of(endpoint)),
        endpoint=endpoint,
        scopes=split_scopes(result.get("scope") or install.get("scope")),
        status=str(install.get("status") or "").upper(),
        installed=_is_yes(install.get("installed")),
        expires_at=int(to_unix_time(result.get("expires")) or 0),
    )


def _is_yes(value: object) -> bool:
    return value is True or str(value).strip().lower() in ("1", "y", "yes", "true")


def _put_into_query(client: Any, _method: str, uri: str, headers: Any, body: str) -> tuple[str, Any, str]:
    credentials = [("client_id", client.client_id), ("client_secret", client.client_secret)]
    return add_params_to_uri(uri, credentials), headers, body
