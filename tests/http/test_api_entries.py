"""Marketing costs and campaign results over sockets: uploads, previews, lists, deletions."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from openpyxl import Workbook
from sqlalchemy import Engine, select

from b24app.tables import audit, costs, portals
from tests.cast import ANNA, INSIDE, IVAN, OLGA, SALES
from tests.http.api_server import NEIGHBOUR, PORTAL, Api, fill, serving

PATH = "/api/v1/costs"

COST = {
    "external_id": "c1",
    "channel": "yandex",
    "from": "2026-11-01",
    "to": "2026-11-30",
    "amount": "1234.50",
    "currency": "RUB",
}
RESULT = {
    "external_id": "r1",
    "channel": "mail",
    "date": "2026-11-03",
    "name": "Autumn",
    "delivered": 100,
    "opened": 40,
    "clicked": 8,
    "visits": 12,
}


@pytest.fixture
def api(engine: Engine, database_url: str, tmp_path: Path) -> Iterator[Api]:
    fill(engine)
    with serving(database_url, tmp_path) as running:
        yield running


def put(api: Api, body: Any, path: str = PATH, **how: Any) -> requests.Response:
    """An upload by the admin: a list as JSON, a text or bytes as they are."""
    if isinstance(body, list):
        return api.call("PUT", path, OLGA, is_admin=True, json=body, **how)
    data = body.encode() if isinstance(body, str) else body
    return api.call("PUT", path, OLGA, is_admin=True, data=data, **how)


def stored(api: Api, query: str = "", kind: str = "costs") -> list[dict[str, Any]]:
    answer = api.get(f"/api/v1/{kind}{query}", OLGA, is_admin=True)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()[kind]
    return found


def refused(answer: requests.Response, status: int = 400) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    return body


def test_a_list_is_stored_and_the_same_id_again_replaces(api: Api) -> None:
    first = put(api, [COST, {**COST, "external_id": "c2", "department": SALES, "amount": 10}])
    assert (first.status_code, first.json()) == (200, {"accepted": 2})
    assert put(api, [{**COST, "amount": "99"}]).json() == {"accepted": 1}
    assert {row["external_id"]: row for row in stored(api)} == {
        "c1": {**COST, "amount": "99.00", "department": None},
        "c2": {**COST, "external_id": "c2", "amount": "10.00", "department": SALES},
    }


def test_campaign_results_are_stored_and_listed_with_their_channels(api: Api) -> None:
    path = "/api/v1/campaigns"
    assert put(api, [RESULT, {**RESULT, "external_id": "r2", "channel": "ads"}], path).json() == {
        "accepted": 2
    }
    body = api.get(path, OLGA, is_admin=True).json()
    assert body["campaigns"][0] == {**RESULT, "department": None}
    assert (body["channels"], body["total"], body["pages"]) == (["ads", "mail"], 2, 1)


def test_csv_has_the_same_columns(api: Api) -> None:
    text = (
        "external_id,channel,from,to,amount,currency,department\r\n"
        'a,"Ads, banners",2026-11-01,2026-11-30,1234.5,rub,\r\n'
        f"b,mail,2026-11-01,2026-11-01,7,USD,{INSIDE}\r\n"
    )
    answer = put(api, text, headers={"Content-Type": "text/csv; charset=utf-8"})
    assert answer.json() == {"accepted": 2}
    rows = {row["external_id"]: row for row in stored(api)}
    assert (rows["a"]["channel"], rows["a"]["amount"], rows["a"]["currency"]) == (
        "Ads, banners",
        "1234.50",
        "RUB",
    )
    assert (rows["b"]["to"], rows["b"]["department"]) == ("2026-11-01", INSIDE)


def test_a_spreadsheet_of_people_is_understood(api: Api) -> None:
    """As a Russian Excel saves it: semicolons, decimal commas, local days, the old encoding."""
    text = (
        "Канал;Первый день;Последний день;Сумма;Валюта;Отдел\r\n"
        "Яндекс;01.11.2026;30.11.2026;1 234,50;RUB;Inside sales\r\n"
        "\r\n"
        "Почта;01.11.2026;30.11.2026;12;RUB;\r\n"
    )
    body = text.encode("windows-1251")
    shown = api.call("POST", f"{PATH}/preview", OLGA, is_admin=True, data=body).json()
    assert (shown["encoding"], shown["separator"], shown["good"], shown["bad"]) == ("windows-1251", ";", 2, 0)
    assert shown["sample"][0]["channel"] == "Яндекс"
    assert stored(api) == []
    # a program must say that it does not send UTF-8
    assert refused(put(api, body))["parameter"] == "body"
    how = {"Content-Type": "text/csv; charset=windows-1251"}
    assert put(api, body, headers=how).json() == {"accepted": 2}
    found = {row["channel"]: row for row in stored(api)}
    assert (found["Яндекс"]["amount"], found["Яндекс"]["department"]) == ("1234.50", INSIDE)
    # rows without ids of their own replace themselves when the file is sent again
    put(api, text.replace("1 234,50", "5").encode("windows-1251"), headers=how)
    assert sorted(row["amount"] for row in stored(api)) == ["12.00", "5.00"]


def test_a_workbook_is_read_cell_by_cell(api: Api) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Channel", "First day", "Last day", "Amount", "Currency", "ID"])
    sheet.append(["ads", datetime(2026, 11, 1), date(2026, 11, 30), 1234.5, "RUB", 17])  # noqa: DTZ001
    sheet.append(["ads", "2026-11-01", "01.12.2026", "=1+1", "RUB", None])  # nothing was ever computed
    file = io.BytesIO()
    book.save(file)
    shown = api.call("POST", f"{PATH}/preview", OLGA, is_admin=True, data=file.getvalue()).json()
    assert (shown["format"], shown["good"], shown["bad"]) == ("xlsx", 1, 1)
    assert [(flaw["line"], flaw["column"], flaw["reason"]) for flaw in shown["flaws"]] == [
        (3, "amount", "missing")
    ]
    assert put(api, file.getvalue(), f"{PATH}?skip=1").json() == {"accepted": 1, "skipped": 1}
    assert stored(api) == [{**COST, "external_id": "17", "channel": "ads", "department": None}]


def test_a_preview_names_what_is_wrong_and_what_would_happen(api: Api) -> None:
    put(api, [COST])
    text = (
        "external_id;channel;from;to;amount;currency;note\n"
        "c1;yandex;2026-11-01;2026-11-30;5;RUB;known\n"
        "c2;yandex;2026-11-01;2026-11-30;5;GBP;new, without a rate\n"
        "c2;yandex;2026-11-01;2026-11-30;5;RUB;twice\n"
        "c3;;2026-11-31;2026-10-01;1,234;roubles;much is wrong\n"
        "c4;yandex;2026-11-02;2026-11-01;-5;RUB;more\n"
        "c5;yandex;2026-11-02;2026-11-01;5;RUB;ends first\n"
    )
    shown = api.call("POST", f"{PATH}/preview", OLGA, is_admin=True, data=text).json()
    assert (shown["rows"], shown["good"], shown["bad"], shown["new"], shown["replaced"]) == (6, 2, 4, 1, 1)
    assert shown["unknown_columns"] == ["note"]
    assert shown["currencies_without_rate"] == ["GBP"]
    assert [(flaw["line"], flaw["column"], flaw["reason"]) for flaw in shown["flaws"]] == [
        (4, "external_id", "twice"),
        (5, "channel", "missing"),
        (5, "from", "no_day"),
        (5, "amount", "ambiguous_number"),
        (5, "currency", "no_currency"),
        (6, "amount", "negative"),
        (7, "to", "ends_before_it_begins"),
    ]
    assert shown["flaws"][0]["text"] == "is on line 3 already"
    assert len(stored(api)) == 1
    # all or nothing, and a column that means nothing may hide one that was misspelt
    assert refused(put(api, text))["parameter"] == "note"
    assert put(api, text, f"{PATH}?skip=1").json() == {"accepted": 2, "skipped": 4}
    assert len(stored(api)) == 2


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"amount": "many"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": True}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": 10**13}, "amount"),
        ({"amount": "0.00001"}, "amount"),
        ({"amount": [1]}, "amount"),
        ({"currency": "rubles"}, "currency"),
        ({"currency": 643}, "currency"),
        ({"channel": "  "}, "channel"),
        ({"channel": "x" * 256}, "channel"),
        ({"channel": "a\u0000b"}, "channel"),
        ({"channel": "\ud800"}, "channel"),
        ({"external_id": ""}, "external_id"),
        ({"external_id": "x" * 101}, "external_id"),
        ({"from": "01.11.2026"}, "from"),
        ({"from": "2026-11-31"}, "from"),
        ({"from": 20261101}, "from"),
        ({"to": "2026-10-31"}, "to"),
        ({"to": "3000-01-01"}, "to"),
        ({"department": 404}, "department"),
        ({"department": "Sales"}, "department"),
        ({"departmant": SALES}, "departmant"),
    ],
)
def test_one_bad_row_refuses_all_and_is_named(api: Api, change: dict[str, Any], parameter: str) -> None:
    body = refused(put(api, [COST, {**COST, "external_id": "c2", **change}]))
    assert body["parameter"] == f"[1].{parameter}"
    assert (body["errors"][0]["line"], body["errors"][0]["column"]) == (2, parameter)
    assert stored(api) == []


def test_a_missing_column_of_json_or_csv_is_named(api: Api) -> None:
    without = {name: value for name, value in COST.items() if name != "currency"}
    assert refused(put(api, [without]))["parameter"] == "[0].currency"
    assert (
        refused(put(api, "external_id,channel,from,to,amount\n1,a,2026-11-01,2026-11-01,5\n"))["parameter"]
        == "currency"
    )
    assert refused(put(api, [{**RESULT, "opened": None}], "/api/v1/campaigns"))["parameter"] == "[0].opened"
    assert refused(put(api, [{**RESULT, "opened": 1.5}], "/api/v1/campaigns"))["parameter"] == "[0].opened"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/csv"),
        (b"", "application/json"),
        (b"{}", "application/json"),
        (b"[1]", "application/json"),
        (b"[[]]", ""),
        (b"[{}", ""),
        (b"[" * 100_000, ""),
        (b'[{"amount": NaN}]', ""),
        (b"\xff\xfe\x00", ""),
        (b"\xd0", "text/csv"),
        (b"a,b", "text/csv; charset=klingon"),
        (b'channel,from\n"a,b\n', "text/csv"),
        (b"channel,Channel\na,b\n", "text/csv"),
        (b"PK\x03\x04 no workbook", ""),
        (b"channel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
def test_what_is_no_table_is_refused(api: Api, body: bytes, kind: str) -> None:
    for path, method in ((PATH, "PUT"), (f"{PATH}/preview", "POST")):
        headers = {"Content-Type": kind} if kind else {}
        answer = api.call(method, path, OLGA, is_admin=True, data=body, headers=headers)
        if method == "POST" and (body == b"\xd0" or body == b""):
            continue  # may be a letter of an old encoding; an empty list says so in its own words
        refused(answer)
    assert stored(api) == []


def test_the_same_id_twice_in_one_upload_is_refused(api: Api) -> None:
    body = refused(put(api, [COST, COST]))
    assert body["errors"][0]["reason"] == "twice"
    assert put(api, []).json() == {"accepted": 0}


def test_entries_are_for_admins(api: Api) -> None:
    for user_id in (ANNA, IVAN):
        assert api.get(PATH, user_id).status_code == 403
        assert api.call("PUT", PATH, user_id, json=[COST]).status_code == 403
        assert api.call("POST", f"{PATH}/preview", user_id, json=[COST]).status_code == 403
        assert api.call("DELETE", f"{PATH}?everything=1", user_id).status_code == 403
        assert api.call("DELETE", f"{PATH}/c1", user_id).status_code == 403
    assert requests.put(api.url + PATH, json=[COST], timeout=20).status_code == 401
    assert api.call("PUT", PATH, None, json=[COST]).json() == {"accepted": 1}  # a program


def test_lists_are_filtered_and_paged(api: Api) -> None:
    put(
        api,
        [
            {**COST, "external_id": f"c{day:02}", "from": f"2026-11-{day:02}", "to": f"2026-11-{day:02}"}
            for day in range(1, 21)
        ]
        + [{**COST, "external_id": "long", "channel": "mail", "department": SALES}],
    )
    assert [row["external_id"] for row in stored(api, "?page=2&page_size=8")][:2] == ["c12", "c11"]
    assert {row["external_id"] for row in stored(api, "?from=2026-11-19&to=2026-11-20")} == {"c19", "long"}
    assert [row["external_id"] for row in stored(api, f"?channel=mail&department={SALES}")] == ["long"]
    for query in (
        "?page=0",
        "?page_size=5000",
        "?from=2026-13-01",
        "?department=x",
        "?colour=1",
        "?from=2026-11-02&to=2026-11-02",
    ):
        refused(api.get(PATH + query, OLGA, is_admin=True))


def test_entries_are_deleted_one_by_one_or_by_filter(api: Api) -> None:
    put(api, [COST, {**COST, "external_id": "a/b c", "channel": "mail"}, {**COST, "external_id": "c3"}])
    assert api.call("DELETE", f"{PATH}/a/b%20c", OLGA, is_admin=True).status_code == 204
    assert api.call("DELETE", f"{PATH}/a/b%20c", OLGA, is_admin=True).status_code == 404
    refused(api.call("DELETE", PATH, OLGA, is_admin=True))
    assert api.call("DELETE", f"{PATH}?channel=nothing", OLGA, is_admin=True).json() == {"deleted": 0}
    assert api.call("DELETE", f"{PATH}?everything=1", OLGA, is_admin=True).json() == {"deleted": 2}
    assert stored(api) == []


def test_an_upload_moves_the_data_version_and_is_written_down(api: Api, engine: Engine) -> None:
    put(api, [COST])
    with engine.connect() as conn:
        versions = {
            row[0]: row[1] for row in conn.execute(select(portals.c.portal_id, portals.c.data_version))
        }
        lines = conn.execute(select(audit.c.portal_id, audit.c.actor_id, audit.c.action)).all()
        owners = set(conn.scalars(select(costs.c.portal_id)))
    assert (versions[PORTAL] > 0, versions[NEIGHBOUR]) == (True, 0)
    assert [tuple(line) for line in lines] == [(PORTAL, OLGA, "costs.changed")]
    assert owners == {PORTAL}


@pytest.mark.long
def test_a_hundred_thousand_rows_are_taken_and_one_more_is_too_many(api: Api) -> None:
    lines = [
        f"id{n},channel {n % 50},2026-{n % 12 + 1:02}-01,2026-{n % 12 + 1:02}-28,{n}.25,RUB,{SALES}"
        for n in range(100_000)
    ]
    text = "external_id,channel,from,to,amount,currency,department\n" + "\n".join(lines)

    def send(body: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {api.token(OLGA, is_admin=True)}"}
        return requests.put(api.url + PATH, data=body.encode(), headers=headers, timeout=120)

    began = time.monotonic()
    assert send(text).json() == {"accepted": 100_000}
    assert time.monotonic() - began < 60  # two or three seconds of a computer that has nothing else to do
    assert api.get(PATH, OLGA, is_admin=True).json()["total"] == 100_000
    assert refused(send(text + "\nlast,a,2026-01-01,2026-01-01,1,RUB,"), 413)["detail"]
