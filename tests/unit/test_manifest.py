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
        for place in (*manifest.places, *manifest.object_places):
            assert place.title[lang]
            assert i18n.text(lang, f"install.place.{place.key}")


def test_the_promised_places_are_there() -> None:
    views = {place.code: (place.view, place.entity) for place in load().places}
    assert views["CRM_DEAL_DETAIL_TAB"] == ("deal", "ID")
    assert views["USER_PROFILE_TOOLBAR"] == ("employee", "USER_ID")
    assert views["USER_PROFILE_MENU"] == ("self", None)
    assert views["LEFT_MENU"] == views["CRM_ANALYTICS_MENU"] == ("home", None)
    assert views["CRM_LEAD_DETAIL_TAB"] == ("lead", "ID")
    assert views["CRM_CONTACT_DETAIL_TAB"] == ("contact", "ID")
    assert views["CRM_COMPANY_DETAIL_TAB"] == ("company", "ID")
    assert views["TASK_VIEW_TAB"] == ("task", "taskId")
    assert views["SONET_GROUP_DETAIL_TAB"] == ("project", "GROUP_ID")
    assert views["TELEPHONY_ANALYTICS_MENU"] == ("calls", None)
    assert views["REST_APP_URI"] == ("link", None)


def test_a_smart_process_has_a_place_of_its_own_once_it_is_chosen() -> None:
    manifest = load()
    place = manifest.place("crm_dynamic_1032_detail_tab")
    assert place is not None
    assert (place.code, place.view, place.object_id) == ("CRM_DYNAMIC_1032_DETAIL_TAB", "process", 1032)
    assert place not in manifest.places
    assert manifest.with_objects([1032, 1032]).places == (*manifest.places, place)
    assert manifest.place("CRM_DYNAMIC_X_DETAIL_TAB") is None
    assert manifest.place("CRM_7_DETAIL_TAB") is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('view = "deal"', 'view = "moon"', "moon"),
        ('scope = "crm"', 'scope = "moon"', "moon"),
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
