"""The browser's files: where they are, under which address, for how long they may be kept.

One hash over everything stands in every address, so files may be cached for ever and modules may import
each other by plain relative paths.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import brotli
from flask import Blueprint, Response, abort, request
from markupsafe import Markup

from b24app.config import ROOT
from b24app.web import words

STATIC = ROOT / "frontend" / "static"
PACKAGES = ROOT / "frontend" / "node_modules"
CDN = "https://cdn.jsdelivr.net"

FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=60"  # an older page asks for a file of its own version during a deployment
COMPRESSED_FROM = 1024
COMPRESSIBLE = ("text/", "application/json", "image/svg")


@dataclass(frozen=True, slots=True)
class Library:
    """A browser library: taken from the CDN when it answers, else from the copy that npm installed.

    `integrity` is the same for both: the CDN serves the package's own file.
    """

    name: str
    version: str
    file: str
    integrity: str

    @property
    def cdn(self) -> str:
        return f"{CDN}/npm/{self.name}@{self.version}/{self.file}"

    @property
    def path(self) -> Path:
        return PACKAGES / self.name / self.file

    @property
    def local(self) -> str:
        return f"vendor/{self.name.rpartition('/')[2]}-{self.version}.js"


LIBRARIES = {
    "chart": Library(
        "chart.js",
        "4.6.1",
        "dist/chart.umd.min.js",
        "sha384-Emf5ZVIUiarAdhkgtqK+5/Z5qIvM6QoVrS+qAVtfyZVuD5lIHrac0me485+Antp0",
    ),
    "jssdk": Library(
        "@bitrix24/b24jssdk",
        "2.2.0",
        "dist/umd/index.min.js",
        "sha384-QFkkSEFRZAveAJ3+YS9+2cH6Rh+CTaU+zTRZYu7jiTHhalF2T/EbLm623tOIBgV9",
    ),
}

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, read once: its body, the same compressed by the name of the coding, the best one first (none
    where that gains nothing), its type."""

    body: bytes
    packed: Mapping[str, bytes]
    mimetype: str


@blueprint.get("/assets/<version>/<path:name>")
def asset(version: str, name: str) -> Response:
    """A file of `frontend/static`, texts of a language or a library's local copy. 404 for anything else."""
    found = _load(name)
    if found is None:
        abort(404)
    coding = next((name for name in found.packed if request.accept_encodings[name]), None)
    response = Response(found.packed[coding] if coding else found.body, mimetype=found.mimetype)
    if coding:
        response.headers["Content-Encoding"] = coding
    if found.packed:
        response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOREVER if version == content_hash() else BRIEFLY
    response.headers["Access-Control-Allow-Origin"] = "*"  # integrity is checked for the copies too
    return response


@blueprint.app_template_global("asset")
def url(name: str) -> str:
    """The address of a file: `asset("css/base.css")`."""
    return f"/assets/{content_hash()}/{name}"


@blueprint.app_template_global("asset_files")
@cache
def files(pattern: str) -> tuple[str, ...]:
    """Addresses of the files that match, in order of their names: `asset_files("js/*.js")`."""
    return tuple(url(path.relative_to(STATIC).as_posix()) for path in sorted(STATIC.glob(pattern)))


@blueprint.app_template_global("libraries")
def libraries() -> Markup:
    """JSON for the loader in the browser: where each library is and what it must hash to."""
    table = {
        key: {"cdn": library.cdn, "local": url(library.local), "integrity": library.integrity}
        for key, library in LIBRARIES.items()
    }
    return Markup(json.dumps(table))  # noqa: S704  constants of this file, nothing from outside


@cache
def content_hash() -> str:
    """Twelve hex digits over all files and library versions."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(STATIC).as_posix().encode() + b"\0" + path.read_bytes())
    for library in LIBRARIES.values():
        digest.update(library.integrity.encode())
    for name, body in words.files().items():
        digest.update(name.encode() + b"\0" + body)
    return digest.hexdigest()[:12]


@cache
def _known() -> dict[str, Path]:
    """Every name that is served, so that no request can reach outside."""
    names = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.is_file()}
    return names | {library.local: library.path for library in LIBRARIES.values()}


@cache
def _load(name: str) -> Asset | None:
    body = words.files().get(name) or _read(_known().get(name))
    if body is None:
        return None
    mimetype = "text/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    mimetype = mimetype or "application/octet-stream"
    packable = len(body) >= COMPRESSED_FROM and mimetype.startswith(COMPRESSIBLE)
    packed = (
        {"br": brotli.compress(body, quality=9), "gzip": gzip.compress(body, 9, mtime=0)} if packable else {}
    )
    return Asset(body, packed, mimetype)


def _read(path: Path | None) -> bytes | None:
    return path.read_bytes() if path is not None and path.is_file() else None
