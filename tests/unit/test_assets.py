"""The browser's files: complete, small, unchangeable under their address, and nothing besides them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from b24app.web import assets
from b24app.web.assets import LIBRARIES, STATIC, content_hash

PAGE_BUDGET = 150_000
"""Bytes that all our files together may weigh compressed, without the libraries of the CDN."""


@pytest.fixture
def browser() -> FlaskClient:
    app = Flask("assets")
    app.register_blueprint(assets.blueprint)
    return app.test_client()


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_integrity_is_that_of_the_installed_copy(library: assets.Library) -> None:
    digest = hashlib.sha384(library.path.read_bytes()).digest()
    assert library.integrity == f"sha384-{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize("library", LIBRARIES.values(), ids=LIBRARIES)
def test_the_local_copy_is_served_with_the_same_bytes(browser: FlaskClient, library: assets.Library) -> None:
    answer = browser.get(assets.url(library.local), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert gzip.decompress(answer.data) == library.path.read_bytes()
    smaller = browser.get(assets.url(library.local), headers={"Accept-Encoding": "gzip, deflate, br"})
    assert smaller.headers["Content-Encoding"] == "br"
    assert len(smaller.data) < len(answer.data)
    assert brotli.decompress(smaller.data) == library.path.read_bytes()
    assert answer.mimetype == "text/javascript"


def test_files_may_be_kept_for_ever_under_their_own_version_only(browser: FlaskClient) -> None:
    now = browser.get(f"/assets/{content_hash()}/js/main.js")
    other = browser.get("/assets/000000000000/js/main.js")
    assert "immutable" in now.headers["Cache-Control"]
    assert "immutable" not in other.headers["Cache-Control"]
    assert now.data == other.data == (STATIC / "js/main.js").read_bytes()


@pytest.mark.parametrize(
    "name", ["../package.json", "js/../../package.json", "js/nothing.js", "js", "%2e%2e/x"]
)
def test_nothing_else_is_served(browser: FlaskClient, name: str) -> None:
    assert browser.get(f"/assets/{content_hash()}/{name}").status_code == 404


def test_every_module_imports_files_that_exist() -> None:
    for path in STATIC.rglob("*.js"):
        for target in re.findall(r"""from "(\.[^"]+)";""", path.read_text("utf-8")):
            assert (path.parent / target).resolve().is_file(), f"{path.name} imports {target}"


def test_a_page_weighs_less_than_its_budget(browser: FlaskClient) -> None:
    names = [path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file()]
    sizes = [len(browser.get(assets.url(name), headers={"Accept-Encoding": "gzip"}).data) for name in names]
    assert sum(sizes) < PAGE_BUDGET
