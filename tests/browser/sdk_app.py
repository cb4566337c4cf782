"""An application of one page that loads the official browser SDK and waits to be told what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from emulator.wire import HttpServer, Request, Response, html_response

SDK = Path(__file__).parents[2] / "frontend/node_modules/@bitrix24/b24jssdk/dist/umd/index.min.js"
PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><title>app</title><link rel="icon" href="data:,">
<script src="/sdk.js"></script></head>
<body style="margin:0"><div id="place"></div>
<script>
  document.getElementById("place").textContent = location.pathname;
  window.ready = B24Js.initializeB24Frame().then((b24) => { window.b24 = b24; return true; });
</script></body></html>
"""


@dataclass
class SdkApp:
    url: str
    posts: list[Request] = field(default_factory=list)  # what the portal has posted into frames


@contextmanager
def sdk_app() -> Iterator[SdkApp]:
    """The application on its own origin, until the block ends."""
    app = SdkApp("")

    def answer(request: Request) -> Response:
        if request.path == "/sdk.js":
            return Response(200, SDK.read_bytes(), {"Content-Type": "text/javascript; charset=utf-8"})
        if request.method == "POST":
            app.posts.append(request)
            return html_response(PAGE)
        return Response(404, b"")

    server = HttpServer(answer)
    app.url = f"http://{server.address}"
    try:
        yield app
    finally:
        server.close()
