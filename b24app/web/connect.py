"""Connecting a portal from outside of it: full OAuth with a signed `state` that lives for ten minutes.

The portal's address is only ever opened by the browser; the server talks to the address that the
authorization server names.
"""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from b24app import clock, i18n
from b24app.crypto import BadToken
from b24app.portals import installation
from b24app.portals.launch import Reason, Refused
from b24app.rest.addresses import check_endpoint, host_of
from b24app.rest.errors import AddressRefused, RestError, RetryLater
from b24app.web import pages
from b24app.web.context import parts
from b24app.web.headers import allow_leaving
from b24app.web.welcome import known_portal

blueprint = Blueprint("connect", __name__)

PURPOSE = "connect"
STATE_SECONDS = 600
CLOUD = re.compile(
    r"^https://[a-z0-9-]+\.bitrix24\.(com|ru|de|eu|com\.br|fr|it|pl|in|es|jp|kz|by|ua|cn|vn|id|com\.tr|uk|mx|co|tech)$"
)
HOME = re.compile(r"https?://([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")


@blueprint.get("/connect")
def begin() -> AnyResponse:
    """Ask for the portal's address; with it (`portal` or `domain`), go there for the permission."""
    if "code" in request.args:
        return callback()
    asked = (request.args.get("portal") or request.args.get("domain") or "").strip()
    if not asked:
        return _form()
    try:
        home = _home(asked)
    except AddressRefused:
        return _form(asked, "connect.bad_address", status=400)
    state = parts().signer.sign(
        PURPOSE, {"portal": host_of(home), "nonce": secrets.token_hex(8)}, STATE_SECONDS
    )
    query = urlencode({"client_id": parts().settings.client_id, "state": state})
    address = f"{home}/oauth/authorize/?{query}"
    return redirect(address) if _is_bitrix24(home) else _form(asked, onward=address)


@blueprint.get("/connect/callback")
def callback() -> AnyResponse:
    """The way back from the portal: exchange the code, prove, store, register."""
    code = request.args.get("code", "")
    try:
        parts().signer.read(PURPOSE, request.args.get("state", ""))
    except BadToken:
        return _form(message="connect.bad_state", status=400)
    if not code:
        return _form(message="connect.bad_code", status=400)
    try:
        pair = parts().auth.exchange_code(code, request.args.get("server_domain"))
    except RetryLater as error:
        raise Refused(Reason.UNCONFIRMED, error.code) from error
    except AddressRefused as error:
        raise Refused(Reason.FOREIGN_SERVER, error.code) from error
    except RestError:
        return _form(message="connect.bad_code", status=400)
    named = request.args.get("member_id", pair.member_id).lower()
    if named != pair.member_id.lower():
        raise Refused(Reason.FOREIGN_PORTAL, "the code belongs to another portal than the one named")
    known = known_portal(parts(), named)
    person = parts().admission.prove(pair.access, named, request.args.get("server_domain"), known)
    lang = pages.language()
    if not person.is_admin:
        return pages.message(
            lang,
            i18n.text(lang, "connect.not_admin_title"),
            i18n.text(lang, "connect.not_admin_text"),
            status=403,
        )
    portal_id = installation.enrol(
        parts(),
        person,
        access=pair.access,
        refresh=pair.refresh,
        expires_in=max(0, pair.expires_at - clock.epoch()),
    )
    parts().soon.submit(installation.register, parts(), portal_id, person.user_id)
    return pages.message(lang, i18n.text(lang, "connect.done_title"), i18n.text(lang, "connect.done_text"))


def _home(address: str) -> str:
    """`https://portal` out of what somebody typed. Raises: AddressRefused."""
    allow_private = parts().settings.allow_private_portals
    scheme, _, rest = address.rpartition("://")
    try:
        place = rest.partition("/")[0].encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise AddressRefused("address_refused", "not a host's name") from error
    is_local = allow_private and place.rpartition(":")[2].isdigit()
    scheme = scheme.lower() or ("http" if is_local else "https")
    home = check_endpoint(f"{scheme}://{place}", allow_private=allow_private).removesuffix("/rest/")
    if not HOME.fullmatch(home):
        raise AddressRefused("address_refused", "not a host's name")
    return home


def _is_bitrix24(home: str) -> bool:
    """Whether the browser may be sent there without asking: nobody shall borrow our address to send people
    to a place of their own. On-premise portals are anywhere, so those are asked about."""
    return parts().settings.allow_private_portals or CLOUD.search(home) is not None


def _form(portal: str = "", message: str = "", status: int = 200, onward: str = "") -> Response:
    lang = pages.language()
    words = i18n.section(lang, "connect")
    allow_leaving("https:", *(("http:",) if parts().settings.allow_private_portals else ()))
    page = render_template(
        "connect.html",
        lang=lang,
        words=words,
        portal=urlsplit(f"//{portal}").netloc if portal else "",
        message=i18n.text(lang, message) if message else "",
        onward=onward,
    )
    return make_response(page, status)
