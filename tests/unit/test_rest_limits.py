"""The arithmetic of a portal's limits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b24app.rest.budget import Budgets
from b24app.rest.calls import Call
from b24app.rest.client import backoff_s
from b24app.rest.limits import (
    ALL_METHODS,
    BACKGROUND_SHARE,
    CLOUD,
    ENTERPRISE,
    FOREGROUND_SHARE,
    OPERATING_LIMIT_S,
    PARALLEL,
    PortalLoad,
    RateLimit,
    rate_of,
)

START = 1_790_000_000.0
ONE = {"crm.item.list": 1}


class RealBucket:
    """The portal's own: capacity, drain, and no mercy."""

    def __init__(self, rate: RateLimit) -> None:
        self.rate, self.level, self.at = rate, 0.0, START

    def is_refused(self, now: float) -> bool:
        self.level = max(0.0, self.level - (now - self.at) * self.rate.per_second)
        self.at = now
        self.level += 1
        return self.level > self.rate.capacity


@given(
    st.lists(st.tuples(st.floats(0, 3), st.booleans()), max_size=200),
    st.sampled_from([CLOUD, RateLimit(250, 5)]),
)
def test_no_request_that_we_allow_overflows_the_bucket(
    asks: list[tuple[float, bool]], rate: RateLimit
) -> None:
    load, real, now = PortalLoad(), RealBucket(rate), START
    for pause, background in asks:
        now += pause
        while wait := load.take(ONE, now, rate, background=background):
            now += wait
        assert not real.is_refused(now)


def test_a_burst_is_allowed_and_some_of_it_kept_for_lookers() -> None:
    load = PortalLoad()
    background = sum(load.take(ONE, START, CLOUD, background=True) == 0 for _ in range(60))
    foreground = sum(load.take(ONE, START, CLOUD, background=False) == 0 for _ in range(60))
    assert (background, foreground) == (35, 12)  # 0.7 × 50; then up to 0.94 × 50 = 47
    assert load.take(ONE, START, CLOUD, background=True) == pytest.approx(6.5)  # 13 too many / 2 a second


def test_the_wait_that_is_told_is_long_enough() -> None:
    load = PortalLoad()
    while not (wait := load.take(ONE, START, CLOUD, background=True)):
        pass
    assert load.take(ONE, START + wait, CLOUD, background=True) == 0


def test_a_portal_without_a_rate_limit_never_waits() -> None:
    load = PortalLoad()
    assert {load.take({"profile": 1}, START, None, background=True) for _ in range(500)} == {0.0}


def test_each_refusal_by_the_portal_teaches_more_that_others_share_its_bucket() -> None:
    load = PortalLoad()
    load.take(ONE, START, CLOUD, background=True)
    waits = []
    for _ in range(5):
        load.refused(START, CLOUD)
        waits.append(load.take(ONE, START, CLOUD, background=True))
    assert waits == [0.5, 3.0, 5.5, 8.0, 8.0]  # level 35, 40, 45, 50, 50; down to 34 at 2 a second


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.01, 12), st.integers(1, 50), st.booleans()), min_size=20, max_size=120))
def test_no_method_is_ever_blocked_by_its_operating_time(steps: list[tuple[float, int, bool]]) -> None:
    load, now = PortalLoad(), START
    spent: list[tuple[float, float]] = []  # (minute, seconds) as the portal counts them
    for cost, count, background in steps:
        while wait := load.take({"crm.item.list": count}, now, None, background=background):
            now += wait
        minute = now // 60
        used = sum(s for m, s in spent if m > minute - 10)
        assert used < OPERATING_LIMIT_S, "the portal would refuse this call"
        # A batch stops where its method is blocked; up to there each page takes as long as it takes.
        pages = 0
        while pages < count and used < OPERATING_LIMIT_S:
            spent.append((minute, cost))
            used += cost
            pages += 1
        load.learn("crm.item.list", used, {"crm.item.list": cost}, now)
        now += cost * pages


@settings(deadline=None, max_examples=40)
@given(st.floats(0.01, 0.4), st.integers(1, 50), st.lists(st.floats(0.5, 1.5), min_size=1, max_size=20))
def test_requests_side_by_side_neither_block_a_method_nor_overflow_the_bucket(
    page_s: float, pages: int, luck: list[float]
) -> None:
    """Two hours of reading as fast as we let ourselves; a page costs what no one knows beforehand."""
    load, real, now = PortalLoad(), RealBucket(CLOUD), START
    spent: dict[int, float] = {}  # by minute, as the portal counts
    under_way: list[tuple[float, float]] = []  # (when it comes back, seconds of a page)
    asked = done = 0

    def used(at: float) -> float:
        return sum(s for minute, s in spent.items() if minute > at // 60 - 10)

    while now < START + 7200 and asked < 3000:
        wait = load.take({"crm.item.list": pages}, now, CLOUD, background=True)
        if wait == 0 and len(under_way) < PARALLEL:
            assert not real.is_refused(now)
            cost = page_s * luck[asked % len(luck)]
            asked += 1
            for _ in range(pages):
                assert used(now) < OPERATING_LIMIT_S, "the portal would refuse this page"
                spent[int(now // 60)] = spent.get(int(now // 60), 0.0) + cost  # counted before we hear of it
            under_way.append((now + pages * cost, cost))
        if under_way and (wait == 0 or min(under_way)[0] <= now + wait):
            back, cost = min(under_way)
            under_way.remove((back, cost))
            now = max(now, back)
            load.learn("crm.item.list", used(now), {"crm.item.list": cost}, now)
            done += 1
        else:
            now += wait
    # It is read as fast as that allows: most of what background reading may use is used.
    assert done >= 3000 - PARALLEL or used(now) > 0.5 * OPERATING_LIMIT_S * BACKGROUND_SHARE


def test_background_stops_before_lookers_do() -> None:
    load = PortalLoad()
    load.take(ONE, START, None, background=True)
    load.learn("crm.item.list", OPERATING_LIMIT_S * 0.85, {"crm.item.list": 0.1}, START)
    assert load.take(ONE, START, None, background=True) > 0
    assert load.take({"user.get": 1}, START, None, background=True) == 0  # other methods go on
    assert load.take(ONE, START, None, background=False) == 0
    load.learn("crm.item.list", OPERATING_LIMIT_S * 0.97, {"crm.item.list": 0.1}, START)
    assert load.take(ONE, START, None, background=False) > 0
    assert BACKGROUND_SHARE < FOREGROUND_SHARE < 1


def test_what_was_used_is_released_after_ten_minutes() -> None:
    load = PortalLoad()
    load.learn("crm.item.list", 480.0, {"crm.item.list": 1.0}, START)
    wait = load.take(ONE, START, None, background=True)
    assert 540 <= wait <= 600
    assert load.take(ONE, START + wait, None, background=True) == 0


def test_a_block_holds_until_its_moment_and_for_its_method_only() -> None:
    load = PortalLoad()
    load.block("crm.item.list", START + 200)
    assert load.take(ONE, START, CLOUD, background=False) == 200
    assert load.take({"user.get": 1, **ONE}, START + 50, CLOUD, background=False) == 150
    assert load.take({"user.get": 1}, START, CLOUD, background=False) == 0
    assert load.take(ONE, START + 200, CLOUD, background=False) == 0


def test_a_portal_that_refuses_everything_is_left_alone() -> None:
    load = PortalLoad()
    load.block(ALL_METHODS, START + 900)
    assert load.take({"profile": 1}, START, None, background=False) == 900
    assert load.take({"profile": 1}, START + 900, None, background=False) == 0


def test_a_portal_that_empties_its_books_early_is_believed_step_by_step() -> None:
    load = PortalLoad()
    load.learn("crm.item.list", 400.0, {"crm.item.list": 1.0}, START)
    for _ in range(10):
        load.learn("crm.item.list", 0.0, {"crm.item.list": 1.0}, START)
    assert load.methods["crm.item.list"].used(START) < 1


def test_one_dear_call_is_possible_in_an_empty_window() -> None:
    load = PortalLoad()
    load.take(ONE, START, None, background=True)
    load.methods["crm.item.list"].costs["crm.item.list"] = 10_000
    assert load.take(ONE, START + 700, None, background=True) == 0


def test_a_load_survives_the_way_through_json() -> None:
    load = PortalLoad()
    load.take({"crm.item.list": 50, "user.get": 2}, START, CLOUD, background=True)
    load.learn("crm.item.list", 12.25, {"crm.item.list": 0.07, "crm.item.list counting": 2.5}, START + 61)
    load.block("user.get", START + 5)
    for rate in (CLOUD, ENTERPRISE, None):
        load.rate = rate
        assert PortalLoad.from_plain(json.loads(json.dumps(load.to_plain()))) == load


def test_to_count_a_large_list_does_not_make_its_pages_look_dear() -> None:
    load = PortalLoad()
    counting = Call("crm.item.list", {"start": 0}).kind
    page = Call("crm.item.list", {"start": -1}).kind
    assert page == Call("crm.item.list").kind == "crm.item.list"
    load.take({page: 50, counting: 1}, START, None, background=True)
    load.learn("crm.item.list", 14.0, {page: 0.07, counting: 10.5}, START + 14)
    assert load.take({page: 50}, START + 15, None, background=True) == 0
    assert load.methods.keys() == {"crm.item.list"}
    # The counting itself is known to be dear.
    load.take({counting: 30}, START + 16, None, background=True)
    assert load.methods["crm.item.list"].used(START + 16) > 300
    assert load.take({page: 50}, START + 17, None, background=True) == 0
    assert load.take({counting: 10}, START + 18, None, background=True) > 0


@given(st.integers(1, 40), st.floats(0, 100), st.floats(0, 1))
def test_waits_grow_are_bounded_and_never_shorter_than_asked(
    attempt: int, asked: float, chance: float
) -> None:
    wait = backoff_s(attempt, asked, chance)
    assert asked <= wait <= max(asked, 30.0) * 1.5
    assert wait >= min(30.0, 0.5 * 2 ** (attempt - 1))


@pytest.mark.parametrize(
    ("license_", "rate"),
    [
        ("ru_pro100", CLOUD),
        ("de_ent250", ENTERPRISE),
        ("com_ent10000", ENTERPRISE),
        ("en_selfhosted", None),
        ("ru_enterprising", CLOUD),
        ("", CLOUD),
        (None, CLOUD),
    ],
)
def test_the_plan_of_a_portal_says_what_it_allows(license_: str | None, rate: RateLimit | None) -> None:
    assert rate_of(license_) == rate


def test_who_does_not_know_the_plan_goes_by_what_others_know() -> None:
    budgets = Budgets()
    unknowing = budgets.for_portal(1)
    assert unknowing.rate() == CLOUD
    reader = budgets.for_portal(1, ENTERPRISE)
    assert sum(reader.take(ONE, background=True) == 0 for _ in range(200)) >= 175
    assert unknowing.take(ONE, background=False) == 0  # by 50 and 2 a second it would have to wait a minute
    assert unknowing.rate() == ENTERPRISE
    assert budgets.for_portal(2).rate() == CLOUD


def test_a_portal_without_a_rate_limit_fills_no_bucket() -> None:
    budgets = Budgets()
    for _ in range(200):
        assert budgets.for_portal(1, None).take(ONE, background=True) == 0
    assert budgets.for_portal(1, CLOUD).take(ONE, background=True) == 0


def test_requests_are_counted_for_ten_minutes() -> None:
    load = PortalLoad()
    for now in (1_000_000.0, 1_000_030.0, 1_000_300.0):
        assert load.take({"crm.item.list": 2}, now, CLOUD, background=False) == 0
    assert load.requests_within(1_000_300.0) == 3
    assert load.requests_within(1_000_700.0) == 1
    assert load.requests_within(1_001_000.0) == 0
    assert PortalLoad.from_plain(json.loads(json.dumps(load.to_plain()))) == load
    before = {name: value for name, value in load.to_plain().items() if name != "requests"}
    assert PortalLoad.from_plain(before).level == load.level, "a load that an earlier version wrote"


def test_a_request_that_has_to_wait_is_not_counted() -> None:
    load = PortalLoad(level=50, at=1_000_000.0)
    assert load.take({"crm.item.list": 1}, 1_000_000.0, CLOUD, background=False) > 0
    assert load.requests_within(1_000_000.0) == 0
