"""Every reason why something that was sent is refused has its words, in the language of whoever asks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from b24app import set_drafts
from b24app.i18n import languages
from b24app.portals import settings
from b24app.refusal import PartsRefused, Why
from b24app.web import api_channels, problems

REFUSING = (settings, set_drafts, api_channels)


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_there_are_words_for_every_reason_and_no_others(lang: str) -> None:
    assert set(languages()[lang]["refused"]) == {code for module in REFUSING for code in _codes(module)}


def test_a_refusal_names_every_part_and_fills_in_the_numbers() -> None:
    error = PartsRefused({"a": Why("missing"), "b[0]": Why("not_between", {"least": 1, "most": 5})})
    problem = problems.parts_refused("No", error, "ru", parameter="a")
    assert problem.detail == "a: не указано; b[0]: должно быть от 1 до 5"
    assert problem.extra == {
        "parameters": {"a": "не указано", "b[0]": "должно быть от 1 до 5"},
        "parameter": "a",
    }
    assert str(error) == "a: missing; b[0]: not_between"


def _codes(module: ModuleType) -> Iterator[str]:
    """The codes written in a module: `refuse(path, code)` and `Why(code)`."""
    assert module.__file__
    for node in ast.walk(ast.parse(Path(module.__file__).read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            code = node.args[{"refuse": 1, "Why": 0}[name]] if name in ("refuse", "Why") else None
            if isinstance(code, ast.Constant):
                yield str(code.value)
