from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from b24app.access import Grant
from b24app.portals import settings
from b24app.portals.settings import Known, PortalSettings, SettingsRefused, patched, to_json, to_stored
from b24app.scope import department

KNOWN = Known(
    currencies=frozenset({"RUB", "USD"}),
    base_currency="RUB",
    pipelines=frozenset({0, 4}),
    departments=frozenset({12}),
    employees=frozenset({7}),
)

EVERYTHING: dict[str, Any] = {
    "timezone": "Asia/Yekaterinburg",
    "currency": "USD",
    "pipelines": [0, 4],
    "projects": [5],
    "support": {
        "sessions": False,
        "calls": True,
        "tickets": [
            {
                "entity_type_id": 128,
                "category_id": 3,
                "rating_field": "ufCrm_1639669411830",
                "positive_values": ["5", "4"],
            },
            {"entity_type_id": 2, "category_id": 4},
        ],
    },
    "fcr_days": 14,
    "working_hours_for_support": True,
    "hours_per_day": 7.5,
    "budget": {"entity_type_id": 2, "planned_field": "ufCrm_PLAN", "actual_field": "ufCrm_FACT"},
    "channels": [
        {"utm_source": "ya", "source_id": "WEB", "channel": "Ads"},
        {"source_id": "CALL", "channel": "Phone"},
    ],
    "min_sample": {"ratio": 20, "mean": 3},
    "thresholds": {"met": 1.1, "near": 0.9},
    "open_leaderboard": True,
    "grants": [{"user": 7, "scope": "department:12"}, {"user": 7, "scope": "company"}],
}


def test_defaults_are_those_of_the_catalogue() -> None:
    assert to_json(PortalSettings(timezone="Europe/Moscow"), "RUB") == {
        "timezone": "Europe/Moscow",
        "currency": "RUB",
        "pipelines": None,
        "projects": None,
        "support": {"sessions": True, "calls": False, "tickets": []},
        "fcr_days": 7,
        "working_hours_for_support": False,
        "hours_per_day": 8,
        "budget": None,
        "channels": [],
        "min_sample": {"ratio": 10, "mean": 5},
        "thresholds": {"met": 1, "near": 0.8},
        "open_leaderboard": False,
        "grants": [],
    }


def test_everything_that_can_be_set_comes_back_as_it_was_sent_and_survives_storing() -> None:
    changed = patched(PortalSettings(), EVERYTHING, KNOWN)
    assert to_json(changed, "RUB") == EVERYTHING
    stored = json.loads(json.dumps(to_stored(changed)))
    assert settings.from_stored(stored, changed.timezone) == changed
    assert changed.thresholds.near == Decimal("0.9")
    assert changed.grants[0] == Grant(7, department(12))


def test_objects_are_merged_and_null_takes_a_choice_back() -> None:
    before = patched(PortalSettings(), EVERYTHING, KNOWN)
    after = patched(
        before,
        {
            "min_sample": {"mean": 6},
            "support": {"calls": False},
            "pipelines": None,
            "budget": None,
            "currency": None,
        },
        KNOWN,
    )
    assert (after.min_sample.ratio, after.min_sample.mean) == (20, 6)
    assert after.support.calls is False
    assert after.support.tickets == before.support.tickets
    assert (after.pipelines, after.budget, after.currency) == (None, None, None)
    assert after.channels == before.channels


@pytest.mark.parametrize(
    ("patch", "name"),
    [
        ({"colour": "red"}, "colour"),
        ({"timezone": "Moscow"}, "timezone"),
        ({"timezone": None}, "timezone"),
        ({"timezone": ["UTC"]}, "timezone"),
        ({"currency": "EUR"}, "currency"),
        ({"currency": ["RUB"]}, "currency"),
        ({"pipelines": [0, 9]}, "pipelines[1]"),
        ({"pipelines": [True]}, "pipelines[0]"),
        ({"pipelines": ["0"]}, "pipelines[0]"),
        ({"pipelines": []}, "pipelines"),
        ({"pipelines": 4}, "pipelines"),
        ({"projects": [-1]}, "projects[0]"),
        ({"projects": []}, "projects"),
        ({"support": []}, "support"),
        ({"support": {"sessions": "yes"}}, "support.sessions"),
        ({"support": {"chat": True}}, "support.chat"),
        ({"support": {"tickets": [{"entity_type_id": 128}]}}, "support.tickets[0].category_id"),
        (
            {"support": {"tickets": [{"entity_type_id": 1, "category_id": 0}]}},
            "support.tickets[0].entity_type_id",
        ),
        (
            {"support": {"tickets": [{"entity_type_id": 3, "category_id": 0}]}},
            "support.tickets[0].entity_type_id",
        ),
        (
            {"support": {"tickets": [{"entity_type_id": 2, "category_id": 9}]}},
            "support.tickets[0].category_id",
        ),
        (
            {"support": {"tickets": [{"entity_type_id": 2, "category_id": [4]}]}},
            "support.tickets[0].category_id",
        ),
        (
            {"support": {"tickets": [{"entity_type_id": 2, "category_id": 4, "positive_values": ["5"]}]}},
            "support.tickets[0].positive_values",
        ),
        ({"fcr_days": 0}, "fcr_days"),
        ({"fcr_days": 2.5}, "fcr_days"),
        ({"fcr_days": True}, "fcr_days"),
        ({"working_hours_for_support": 1}, "working_hours_for_support"),
        ({"hours_per_day": 25}, "hours_per_day"),
        ({"hours_per_day": 0}, "hours_per_day"),
        ({"hours_per_day": float("nan")}, "hours_per_day"),
        ({"hours_per_day": "many"}, "hours_per_day"),
        ({"budget": {"entity_type_id": 2, "planned_field": "a"}}, "budget.actual_field"),
        (
            {"budget": {"entity_type_id": 2, "planned_field": "a b", "actual_field": "c"}},
            "budget.planned_field",
        ),
        ({"budget": {"entity_type_id": 2, "planned_field": "a", "actual_field": "a"}}, "budget.actual_field"),
        ({"channels": [{"channel": "Ads"}]}, "channels[0]"),
        ({"channels": [{"utm_source": "ya", "channel": " "}]}, "channels[0].channel"),
        ({"channels": [{"utm_source": 3, "channel": "Ads"}]}, "channels[0].utm_source"),
        ({"channels": ["Ads"]}, "channels[0]"),
        ({"min_sample": {"ratio": -1}}, "min_sample.ratio"),
        ({"min_sample": {"median": 5}}, "min_sample.median"),
        ({"thresholds": {"near": 0}}, "thresholds.near"),
        ({"thresholds": {"met": 100}}, "thresholds.met"),
        ({"thresholds": {"near": 1.2}}, "thresholds.near"),  # above met, which is 1
        ({"open_leaderboard": None}, "open_leaderboard"),
        ({"grants": [{"user": 8, "scope": "company"}]}, "grants[0].user"),
        ({"grants": [{"user": 7, "scope": "department:13"}]}, "grants[0].scope"),
        ({"grants": [{"user": 7, "scope": "user:7"}]}, "grants[0].scope"),
        ({"grants": [{"user": 7, "scope": 12}]}, "grants[0].scope"),
        ({"grants": [{"user": 7}]}, "grants[0].scope"),
        (["timezone"], "settings"),
    ],
)
def test_unknown_and_impossible_values_are_refused_by_name(patch: Any, name: str) -> None:
    with pytest.raises(SettingsRefused) as caught:
        patched(PortalSettings(), patch, KNOWN)
    assert name in caught.value.reasons
    assert name in str(caught.value)


def test_all_refused_values_are_named_at_once() -> None:
    with pytest.raises(SettingsRefused) as caught:
        patched(PortalSettings(), {"fcr_days": 0, "currency": "EUR", "timezone": "UTC"}, KNOWN)
    assert set(caught.value.reasons) == {"fcr_days", "currency"}
