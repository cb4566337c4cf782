from __future__ import annotations

from pathlib import Path

import pytest

from b24app import i18n
from b24app.manifest import FOLDER, load

LANGUAGES = ("en", "ru")


def test_every_place_and_scope_has_its_words_in_both_languages() -> None:
    manifest = load()
    for lang in LANGUAGES:
        for scope in manifest.scopes:
            assert i18n.text(lang, f"install.scope.{scope.key}.title")
            assert i18n.text(lang, f"install.scope.{scope.key}.lost")
        for place in manifest.places:
            assert place.title[lang]
            assert i18n.text(lang, f"install.place.{place.code.lower()}")


def test_the_promised_places_are_there() -> None:
    views = {place.code: (place.view, place.entity) for place in load().places}
    assert views["CRM_DEAL_DETAIL_TAB"] == ("deal", "ID")
    assert views["USER_PROFILE_TOOLBAR"] == ("employee", "USER_ID")
    assert views["USER_PROFILE_MENU"] == ("self", None)
    assert views["LEFT_MENU"] == views["CRM_ANALYTICS_MENU"] == ("home", None)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('view = "deal"', 'view = "moon"', "moon"),
        ('scope = "crm"', 'scope = "task"', "task"),
        ('title.en = "KPI"\n', "", "English"),
    ],
)
def test_a_mistake_in_the_files_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    for name in ("app.toml", "placements.toml"):
        text = (FOLDER / name).read_text("utf-8")
        if name == "placements.toml":
            assert old in text
            text = text.replace(old, new, 1)
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(ValueError, match=message):
        load(tmp_path)


def test_both_languages_say_the_same_things() -> None:
    def keys(node: object, path: str = "") -> set[str]:
        if not isinstance(node, dict):
            return {path}
        return {inner for key, value in node.items() for inner in keys(value, f"{path}.{key}")}

    words = i18n.languages()
    for section in ("error", "install", "connect", "landing"):
        assert keys(words["en"][section]) == keys(words["ru"][section])
