"""Limits, costs and arranged failures of the emulated portal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from emulator import crm
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal()


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def statuses(admin: Asker, count: int) -> list[int]:
    return [admin.post("server.time").status_code for _ in range(count)]


def test_the_bucket_holds_50_and_drains_2_a_second(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    emulator.limits(portal, bucket=True, drain_per_s=0.001)
    assert statuses(admin, 50) == [200] * 50
    assert admin.refusal("server.time") == (503, "QUERY_LIMIT_EXCEEDED")
    assert emulator.counters(portal).refused_503 == 1
    emulator.limits(portal, drain_per_s=2)
    emulator.clock.advance(3)
    assert statuses(admin, 6) == [200] * 6
    assert 503 in statuses(admin, 6)


def test_a_batch_is_one_drop(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    emulator.limits(portal, bucket=True, drain_per_s=0.001, capacity=2)
    admin.batch({f"c{n}": "server.time" for n in range(50)})
    admin.batch({f"c{n}": "server.time" for n in range(50)})
    assert admin.refusal("server.time")[0] == 503


def test_a_box_has_no_limits(emulator: Emulator) -> None:
    box = emulator.add_portal(is_box=True)
    emulator.limits(box, bucket=True, operating=True, cost_model=True, capacity=1, operating_limit_s=0)
    assert statuses(asker(emulator, box), 5) == [200] * 5


def test_operating_time_blocks_one_method_until_the_window_moves(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.limits(portal, operating=True, cost_model=True, time_scale=0, call_s=5, operating_limit_s=9)
    first = admin.answer("server.time")["time"]
    assert first["operating"] == 5
    second = admin.answer("server.time")["time"]
    assert second["operating"] == 10
    assert admin.refusal("server.time") == (429, "OPERATION_TIME_LIMIT")
    assert admin.post("profile").status_code == 200  # only that method
    inner = admin.batch({"a": "server.time", "b": "profile"})
    assert inner["result_error"]["a"]["error"] == "OPERATION_TIME_LIMIT"
    assert "b" in inner["result"]
    assert emulator.counters(portal).refused_429 == 2  # the one inside the batch too
    emulator.clock.advance(second["operating_reset_at"] - emulator.clock.time() + 0.01)
    assert admin.post("server.time").status_code == 200


def test_the_other_kind_of_portal_bans_for_a_fixed_time(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.limits(
        portal, operating=True, cost_model=True, time_scale=0, call_s=5, operating_limit_s=9, ban_s=300
    )
    statuses(admin, 2)
    assert admin.refusal("server.time")[0] == 429
    emulator.clock.advance(301)
    assert admin.answer("server.time")["time"]["operating"] == 5


def test_costs_are_counted_and_scaled(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    for _ in range(60):
        crm.add_item(portal, "deal", {})
    emulator.limits(portal, cost_model=True, time_scale=0)
    admin.answer("crm.item.list", entityTypeId=2, start=-1)
    assert emulator.counters(portal).seconds == pytest.approx(0.070)
    admin.answer("crm.item.list", entityTypeId=2)
    assert emulator.counters(portal).seconds == pytest.approx(0.140 + 60 * 21e-6)
    emulator.limits(portal, time_scale=1)
    started = time.perf_counter()
    body = admin.answer("batch", cmd={"a": "crm.item.list?entityTypeId=2&start=-1", "b": "server.time"})
    assert time.perf_counter() - started >= 0.080
    assert body["time"]["duration"] >= 0.080
    counted = emulator.counters(portal).as_dict()
    assert counted["http_requests"] == 3
    assert counted["commands"] == 4
    assert counted["by_method"] == {"crm.item.list": 3, "server.time": 1, "batch": 1}


def test_a_request_over_60_seconds_is_cut_off_by_the_gateway(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.limits(portal, cost_model=True, request_time=True, time_scale=0, call_s=2)
    assert admin.post("batch", cmd={f"c{n}": "server.time" for n in range(30)}).status_code == 200
    response = admin.post("batch", cmd={f"c{n}": "server.time" for n in range(31)})
    assert response.status_code == 504
    assert response.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("503", 503, "QUERY_LIMIT_EXCEEDED"),
        ("overload", 503, "OVERLOAD_LIMIT"),
        ("429", 429, "OPERATION_TIME_LIMIT"),
        ("500", 500, "INTERNAL_SERVER_ERROR"),
        ("401", 401, "NO_AUTH_FOUND"),
        ("expired", 401, "expired_token"),
        ("unpaid", 401, "PAYMENT_REQUIRED"),
        ("403", 403, "ACCESS_DENIED"),
        ("scope", 403, "insufficient_scope"),
        ("deleted", 500, "PORTAL_DELETED"),
        ("200_error", 200, "ERROR_CORE"),
        ("zero_code", 400, "0"),
        ("empty_code", 400, ""),
    ],
)
def test_an_arranged_error_happens_once(
    emulator: Emulator, portal: Portal, admin: Asker, kind: str, status: int, code: str
) -> None:
    emulator.faults(portal).add(kind, method="profile")
    assert admin.post("server.time").status_code == 200
    assert admin.refusal("profile") == (status, code)
    assert admin.post("profile").status_code == 200


def test_an_arranged_error_inside_a_batch_spares_the_others(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.faults(portal).add("403", method="profile", times=2)
    body = admin.batch({"a": "profile", "b": "server.time", "c": "profile", "d": "profile"})
    assert set(body["result_error"]) == {"a", "c"}
    assert set(body["result"]) == {"b", "d"}


@pytest.mark.parametrize(
    ("kind", "status"), [("html500", 500), ("502", 502), ("504", 504), ("html403", 403), ("redirect", 302)]
)
def test_gateways_answer_in_html(
    emulator: Emulator, portal: Portal, admin: Asker, kind: str, status: int
) -> None:
    emulator.faults(portal).add(kind, method="profile")
    response = requests.post(
        admin.url("batch"),
        json={"auth": admin.token, "cmd": {"a": "profile"}},
        allow_redirects=False,
        timeout=10,
    )
    assert response.status_code == status
    assert not response.headers.get("Content-Type", "").startswith("application/json")


@pytest.mark.parametrize("kind", ["garbage", "empty"])
def test_a_body_can_be_no_json(emulator: Emulator, portal: Portal, admin: Asker, kind: str) -> None:
    emulator.faults(portal).add(kind)
    response = admin.post("profile")
    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


@pytest.mark.parametrize("kind", ["close", "half_body", "lost_answer"])
def test_an_answer_can_break_off(emulator: Emulator, portal: Portal, admin: Asker, kind: str) -> None:
    emulator.faults(portal).add(kind)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        admin.post("crm.item.add", entityTypeId=2, fields={})
    done = len(portal.records["deal"])
    assert done == (0 if kind == "close" else 1)


@pytest.mark.parametrize("kind", ["hang", "half_hang"])
def test_a_portal_can_hang(emulator: Emulator, portal: Portal, admin: Asker, kind: str) -> None:
    emulator.faults(portal).add(kind)
    started = time.perf_counter()
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.post(admin.url("profile"), json={"auth": admin.token}, timeout=0.3)
    assert time.perf_counter() - started < 5


def test_faults_can_wait_repeat_and_be_cleared(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    faults = emulator.faults(portal)
    faults.add("503", skip=2, times=None)
    assert statuses(admin, 4) == [200, 200, 503, 503]
    faults.clear()
    assert statuses(admin, 1) == [200]
    faults.add("error", status=418, error="TEAPOT", description="short and stout")
    assert admin.refusal("profile") == (418, "TEAPOT")
    with pytest.raises(ValueError, match="unknown fault"):
        faults.add("nonsense")


def test_a_slow_answer_is_whole(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    emulator.faults(portal).add("slow", seconds=0.2)
    started = time.perf_counter()
    answer: dict[str, Any] = admin.result("profile")
    assert answer["ID"] == "1"
    assert time.perf_counter() - started >= 0.2


def test_an_unknown_limit_is_an_error(emulator: Emulator, portal: Portal) -> None:
    with pytest.raises(ValueError, match="no limit"):
        emulator.limits(portal, buckets=True)


def test_counters_tell_rows_operating_time_and_requests_side_by_side(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    for number in range(60):
        crm.add_item(portal, "deal", {"title": str(number)})
    emulator.limits(portal, cost_model=True, call_s=0.3)
    emulator.counters(portal).reset()
    page: dict[str, Any] = {"entityTypeId": 2, "start": -1}
    with ThreadPoolExecutor(max_workers=3) as threads:
        list(threads.map(lambda _: admin.post("crm.item.list", **page), range(3)))
    counted = emulator.counters(portal).as_dict()
    assert counted["rows"] == {"crm.item.list": 150}
    assert counted["operating"] == {"crm.item.list": pytest.approx(0.9)}
    assert counted["most_at_once"] == 3
