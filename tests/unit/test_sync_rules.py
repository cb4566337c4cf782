"""When portals are read, in what order, and what their failures mean."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b24app.facts.values import day_start
from b24app.jobs import queue
from b24app.rest import errors
from b24app.rest.errors import RestError
from b24app.sync import freshness, offline, reconcile, schedule, sources, trouble
from b24app.sync.schedule import FIRST_READ, RECONCILE, REFRESH, Standing
from b24app.sync.windows import progress, windows
from b24app.web import placements

MOSCOW = ZoneInfo("Europe/Moscow")
ZONES = st.sampled_from(["Europe/Moscow", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata"]).map(
    ZoneInfo
)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=MOSCOW).timestamp()
READY = dict.fromkeys(sources.READ_ONCE, "ready")


def standing(**changes: Any) -> Standing:
    values: dict[str, Any] = {
        "portal_id": 1,
        "timezone": "Europe/Moscow",
        "watched_at": None,
        "checked_at": NOW - 60,
        "states": READY,
        "cursors": {"changes": {"since": 1}, "reconcile": {"day": "2026-11-23"}},
    }
    return Standing(**{**values, **changes})


def test_a_new_portal_is_read_at_once() -> None:
    assert schedule.due(standing(states={}, cursors={}, checked_at=None), NOW) == (FIRST_READ,)


def test_while_the_past_is_read_changes_are_read_too() -> None:
    reading = standing(states={**READY, "deals": "reading"}, watched_at=NOW - 1)
    assert schedule.due(reading, NOW) == (REFRESH, FIRST_READ)


@pytest.mark.parametrize(
    ("watched_s", "checked_s", "works"),
    [
        (1, 4.9, ()),  # asked less than five seconds ago
        (1, 5.0, (REFRESH,)),
        (60, 5.0, ()),  # nobody looks any more
        (60, 1799, ()),
        (60, 1800, (REFRESH,)),
        (None, 1800, (REFRESH,)),
    ],
)
def test_how_often_a_portal_is_asked(
    watched_s: float | None, checked_s: float, works: tuple[str, ...]
) -> None:
    watched_at = None if watched_s is None else NOW - watched_s
    assert schedule.due(standing(watched_at=watched_at, checked_at=NOW - checked_s), NOW) == works


def test_a_failing_portal_waits_for_its_time() -> None:
    failing = {"changes": {"since": 1, "retry_at": NOW + 10}, "reconcile": {"day": "2026-11-23"}}
    assert schedule.due(standing(checked_at=NOW - 9999, cursors=failing), NOW) == ()
    assert schedule.due(standing(checked_at=NOW - 9999, cursors=failing), NOW + 10) == (REFRESH,)
    unread = {"first_read": {"retry_at": NOW + 10}}
    assert schedule.due(standing(states={}, cursors=unread), NOW) == ()


@pytest.mark.parametrize(
    ("hour", "at", "works"),
    [
        (2, {"day": "2026-11-22"}, ()),
        (3, {"day": "2026-11-22"}, (RECONCILE,)),
        (3, {"day": "2026-11-23"}, ()),
        (12, {}, (RECONCILE,)),
        (1, {"day": "2026-11-23", "is_asked": True}, (RECONCILE,)),
        (12, {"day": "2026-11-22", "retry_at": NOW * 2}, ()),
    ],
)
def test_comparing_happens_once_a_night_or_when_asked(
    hour: int, at: dict[str, Any], works: tuple[str, ...]
) -> None:
    now = datetime(2026, 11, 23, hour, tzinfo=MOSCOW).timestamp()
    one = standing(checked_at=now, cursors={"changes": {"since": 1}, "reconcile": at})
    assert schedule.due(one, now) == works


def test_an_idle_portal_costs_at_most_twelve_requests_an_hour() -> None:
    # Two checks an hour, each with records that only the queue names. In one of them the short lists, which
    # take a large company up to four requests more; in the other the latest rows of lists, whose further
    # pages share one. In some hours of the night a turn of the comparison.
    checks = 3600 / schedule.IDLE_S
    assert checks * (1 + 1) + 4 + 1 + reconcile.TURN_REQUESTS <= 12
    assert reconcile.TURNS_APART_S >= 3600


def test_an_open_widget_shows_a_change_within_ten_seconds() -> None:
    longest_check_s = 1.0
    # A change comes right after a check has begun; the next one is found due by a tick, waits for a worker,
    # and what it stores is shown by the next poll.
    until_checked = freshness.FRESH_S + queue.TICK_S + queue.NEWS_S + longest_check_s
    assert until_checked + placements.POLL_S <= 10


@given(st.dates(date(2000, 1, 1), date(2040, 1, 1)), ZONES)
def test_the_windows_cover_all_of_time_newest_first_without_overlap(today: date, zone: ZoneInfo) -> None:
    found = windows(today, zone)
    assert found[0].until is None
    assert found[-1].since is None
    for newer, older in pairwise(found):
        assert newer.since == older.until
        assert newer.covers_from > older.covers_from
    assert found[0].covers_from == today.replace(day=1)
    assert found[0].since == day_start(found[0].covers_from, zone)
    *of_time, of_all = windows(today, zone, may_lack_moments=True)
    assert [(w.since, w.until) for w in of_time] == [(w.since, w.until) for w in found]
    assert of_time[-1].covers_from > of_all.covers_from  # only then nothing can be missing
    assert [w.is_of_all for w in (*of_time, of_all)] == [False, False, False, True]


def test_progress_grows_and_ends_at_one() -> None:
    told = [progress(0, 900, 1000), progress(1, None, 1000), progress(2, None, 1000)]
    told += [progress(2, left, 1000) for left in (999, 600, 300, 20)]
    told.append(progress(3, None, 1000))
    assert told == sorted(told)
    assert progress(2, 0, 1000) == 1.0
    assert progress(2, None, 0) == 0.1


@given(st.integers(0, 2_000_000_000), st.integers(0, 100_000_000), ZONES)
def test_month_spans_hold_every_moment_once(first: int, length: int, zone: ZoneInfo) -> None:
    last = first + length
    spans = reconcile.month_spans(first, last, zone)
    for moment in (first, (first + last) // 2, last):
        inside = [
            (since, until)
            for since, until in spans
            if (since is None or since <= moment) and (until is None or moment < until)
        ]
        assert len(inside) == 1
    for since, _ in spans[1:]:
        assert since is not None
        assert datetime.fromtimestamp(since, zone).day == 1
    assert len(spans) <= length / timedelta(days=28).total_seconds() + 2


def event(number: int, name: str, item_id: Any) -> dict[str, Any]:
    return {"ID": str(number), "EVENT_NAME": name, "EVENT_DATA": {"FIELDS": {"ID": item_id}}}


def task_event(number: int, name: str, before: Any, after: Any) -> dict[str, Any]:
    data = {"FIELDS_BEFORE": before, "FIELDS_AFTER": after, "IS_ACCESSIBLE_BEFORE": "undefined"}
    return {"ID": str(number), "EVENT_NAME": name, "EVENT_DATA": data}


def test_the_queue_names_what_changed_and_what_is_gone() -> None:
    found = offline.Noted()
    offline.note(
        [
            event(4, "ONCRMDEALUPDATE", "7"),
            event(5, "ONCRMDEALADD", 8),
            event(6, "ONCRMDEALDELETE", "8"),
            event(7, "onCrmLeadUpdate", 3),
            event(8, "ONCRMDEALUPDATE", 8),  # late news of a deleted deal
            event(9, "ONCRMCURRENCYUPDATE", "USD"),
            event(10, "ONCRMACTIVITYADD", 1),
            {"ID": "11", "EVENT_NAME": "ONCRMDEALUPDATE", "EVENT_DATA": False},
            {"ID": "12"},
            event(13, "ONCRMDEALRECURRINGADD", 99),  # another kind of record
            task_event(14, "ONTASKADD", "undefined", {"ID": 5}),
            task_event(15, "ONTASKUPDATE", {"ID": "6"}, {"ID": "6"}),
            task_event(16, "ONTASKDELETE", {"ID": "5"}, "undefined"),
            task_event(17, "ONTASKCOMMENTADD", "undefined", {"ID": 77, "TASK_ID": 6}),
        ],
        found,
    )
    assert found.changed == {"deals": {7}, "leads": {3}, "activities": {1}, "tasks": {6}}
    assert {name: gone for name, gone in found.deleted.items() if gone} == {"deals": {8}, "tasks": {5}}
    assert found.has_new_rates
    assert (found.last_id, found.count) == (17, 14)


@pytest.mark.parametrize(
    ("count", "next_start", "total", "starts"),
    [
        (49, None, 49, []),
        (50, None, 50, []),
        (50, 50, None, [50]),
        (50, 50, 120, [50, 100]),
        (50, None, 120, [50, 100]),
        (50, None, None, []),
    ],
)
def test_which_pages_of_the_queue_follow(
    count: int, next_start: int | None, total: int | None, starts: list[int]
) -> None:
    assert list(offline.more_pages(count, next_start, total)) == starts


def test_the_queue_is_of_use_for_lists_whose_deletions_go_into_it() -> None:
    rows: list[dict[str, Any]] = [
        {"event": "ONCRMDEALDELETE", "connector_id": "", "offline": 1},
        {"event": "oncrmleaddelete", "offline": "1"},
        {"event": "ONTASKUPDATE", "offline": 1},
    ]
    assert offline.queued(rows) == {"deals", "leads"}
    assert offline.queued(rows[2:]) == set()
    assert offline.queued([{**row, "offline": 0} for row in rows]) == set()


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (errors.PaymentRequired("PAYMENT_REQUIRED"), "unpaid", None),
        (errors.PortalGone("PORTAL_DELETED"), "gone", None),
        (errors.AppRemoved("NOT_INSTALLED"), "gone", None),
        (errors.ScopeMissing("insufficient_scope"), None, "missing_scope"),
        (errors.MethodMissing("ERROR_METHOD_NOT_FOUND"), None, "source_off"),
        (errors.AccessDenied("ACCESS_DENIED"), None, "access_denied"),
        (errors.RestSwitchedOff("WRONG_LICENSE"), None, None),
        (errors.RetryLater("INTERNAL_SERVER_ERROR"), None, None),
        (errors.TokenDead("invalid_grant"), None, None),
    ],
)
def test_what_an_error_means(error: RestError, state: str | None, reason: str | None) -> None:
    assert (trouble.portal_state(error), trouble.off_reason(error)) == (state, reason)


def test_a_batch_refused_as_a_whole_switches_no_source_off() -> None:
    assert trouble.off_reason(errors.AccessDenied("ACCESS_DENIED", method="batch")) is None
    assert trouble.off_reason(errors.AccessDenied("ACCESS_DENIED", method="crm.item.list")) == "access_denied"


def test_waits_grow_and_listen_to_the_portal() -> None:
    passing = errors.RetryLater("INTERNAL_SERVER_ERROR")
    waits = [trouble.wait_s(passing, failures, NOW) for failures in range(1, 20)]
    assert waits == sorted(waits)
    assert waits[0] <= 5
    assert waits[-1] == trouble.LAST_WAIT_S
    assert trouble.wait_s(errors.MethodBlocked("x", until=NOW + 400), 1, NOW) == 400
    assert trouble.wait_s(errors.PaymentRequired("PAYMENT_REQUIRED"), 1, NOW) >= 3600
