"""`POST /oauth/token`: programs trade their credentials for a bearer token (RFC 6749, section 4.4)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Blueprint, Response, jsonify, request

from b24app import api_clients
from b24app.api_clients import ApiClient
from b24app.viewer import Viewer
from b24app.web import session
from b24app.web.context import parts
from b24app.web.problems import Problem

blueprint = Blueprint("oauth_token", __name__)

TOKEN_SECONDS = 3600


@blueprint.post("/oauth/token")
def token() -> Response:
    """An access token that sees what an admin sees. Errors are problem documents that also say `error`."""
    answer = _server().create_token_response()
    if not isinstance(answer, Response):  # the server below makes nothing else
        raise TypeError("the authorization server made no answer")
    return answer


class _Credentials(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib has no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


class _Client(ClientMixin):  # type: ignore[misc]
    """An API client as Authlib wants to question it."""

    def __init__(self, stored: ApiClient) -> None:
        self.stored = stored

    def get_client_id(self) -> str:
        return self.stored.client_id

    def get_allowed_scope(self, scope: str | None) -> str:
        return ""  # there are no narrower scopes: a client reads its portal's KPIs

    def check_client_secret(self, client_secret: str) -> bool:
        return self.stored.knows(client_secret)

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in _Credentials.TOKEN_ENDPOINT_AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class _Request(OAuth2Request):  # type: ignore[misc]
    """The request in hand. Only the body is read: secrets do not belong into addresses."""

    def __init__(self) -> None:
        # TLS ends at the proxy in front, so our own scheme says nothing; Authlib refuses plain http.
        super().__init__(request.method, "https://" + request.host + request.path, headers=request.headers)
        self.payload = BasicOAuth2Payload(request.form.to_dict())

    @property
    def form(self) -> Any:
        return request.form


class _Server(AuthorizationServer):  # type: ignore[misc]
    def query_client(self, client_id: str) -> _Client | None:
        with parts().engine.connect() as conn:
            found = api_clients.find(conn, client_id)
        return None if found is None else _Client(found)

    def save_token(self, token: dict[str, Any], request: _Request) -> None:
        """Nothing is kept: the token is signed, and a revoked client is noticed at each request."""

    def generate_token(self, grant_type: str, client: _Client, **_rest: Any) -> dict[str, Any]:
        program = Viewer(
            portal_id=client.stored.portal_id,
            member_id=client.stored.member_id,
            user_id=None,
            is_admin=True,
            lang=client.stored.lang,
        )
        return {
            "token_type": "Bearer",
            "access_token": session.issue(program, TOKEN_SECONDS, client_id=client.stored.client_id),
            "expires_in": TOKEN_SECONDS,
        }

    def create_oauth2_request(self, _request: Any) -> _Request:
        return _Request()

    def handle_error_response(self, request: _Request, error: OAuth2Error) -> Response:
        status = 401 if error.error == "invalid_client" else error.status_code
        problem = Problem(
            status,
            "No token for this request",
            error.description or error.error,
            error=error.error,
            error_description=error.description or error.error,
        )
        if status == 401:
            problem.with_header("WWW-Authenticate", 'Basic realm="b24app"')
        raise problem

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        response = jsonify(body)
        response.status_code = status
        response.headers.update(dict(headers))
        return response

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""


def _server() -> _Server:
    server = _Server()
    server.register_grant(_Credentials)
    return server
