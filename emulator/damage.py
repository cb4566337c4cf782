"""Replies as broken networks and proxies leave them."""

from __future__ import annotations

import time

from emulator.answers import Wire
from emulator.wire import HANG_S, Response, html_response

_PAGE = (
    "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n<center><h1>{title}</h1></center>\r\n"
    "<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)
_PAGES = {
    "html500": (500, "500 Internal Server Error"),
    "502": (502, "502 Bad Gateway"),
    "504": (504, "504 Gateway Time-out"),
    "html403": (403, "403 Forbidden"),
}


def gateway_page(kind: str) -> Response:
    status, title = _PAGES[kind]
    return html_response(_PAGE.format(title=title), status)


def damaged(wire: Wire, whole: Response | None) -> Response:
    """The reply as `wire` leaves it; `whole` is the good one where the work was done first."""
    hang_s = float(wire.options.get("seconds", HANG_S))
    if wire.kind in _PAGES:
        return gateway_page(wire.kind)
    json_type = {"Content-Type": "application/json; charset=utf-8"}
    if wire.kind == "garbage":
        return Response(200, b'\x00\xfe<b>Warning</b>: {"result": [', dict(json_type))
    if wire.kind == "empty":
        return Response(int(wire.options.get("status", 200)), b"", dict(json_type))
    if wire.kind == "null":
        return Response(200, b"null", dict(json_type))
    if wire.kind == "redirect":
        return Response(
            302, headers={"Location": str(wire.options.get("location", "https://example.com/rest/"))}
        )
    if wire.kind == "slow":
        time.sleep(float(wire.options.get("seconds", 1)))
        return whole or gateway_page("502")
    if wire.kind in {"half_body", "half_hang"}:
        body = whole.body if whole and whole.body else b'{"result":{"items":[{"id":1},{"id":2},{"id":3}]}}'
        return Response(200, body, dict(json_type), damage=wire.kind, hang_s=hang_s)
    if wire.kind == "hang":
        return Response(damage="hang", hang_s=hang_s)
    return Response(damage="close")
