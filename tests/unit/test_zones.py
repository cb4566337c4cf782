from __future__ import annotations

from datetime import datetime
from zoneinfo import available_timezones

import pytest

from b24app.portals.zones import BY_LANGUAGE, guess


@pytest.mark.parametrize(
    ("now", "lang", "zone"),
    [
        ("2026-11-23T13:00:00+03:00", "ru", "Europe/Moscow"),
        ("2026-11-23T15:00:00+05:00", "ru", "Asia/Yekaterinburg"),
        ("2026-11-23T11:00:00+01:00", "de", "Europe/Berlin"),
        ("2026-07-23T12:00:00+02:00", "de", "Europe/Berlin"),
        ("2026-11-23T10:00:00+00:00", "en", "Europe/London"),
        ("2026-11-23T10:00:00+00:00", "ru", "UTC"),
        ("2026-11-23T15:30:00+05:30", "en", "Asia/Kolkata"),
        ("2026-11-23T05:00:00-05:00", "en", "America/New_York"),
        ("2026-11-23T00:00:00-10:00", "en", "Etc/GMT+10"),
        ("2026-11-23T15:45:00+05:45", "en", "UTC"),
    ],
)
def test_a_portals_clock_and_language_name_a_zone(now: str, lang: str, zone: str) -> None:
    assert guess(datetime.fromisoformat(now), lang) == zone
    assert zone in available_timezones()


def test_every_zone_of_the_table_exists() -> None:
    assert {zone for zones in BY_LANGUAGE.values() for zone in zones} <= available_timezones()
