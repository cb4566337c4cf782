"""CRM methods of the emulated portal: envelopes, names, types, filters, paging, rights, writes, history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from emulator import crm, rows, seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal(timezone="America/New_York")


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def ids(admin: Asker, **query: Any) -> list[int]:
    query = {"entityTypeId": 2, "select": ["id"], **query}
    return [row["id"] for row in admin.result("crm.item.list", **query)["items"]]


def fill(portal: Portal, count: int) -> None:
    for number in range(count):
        crm.add_item(portal, "deal", {"title": f"Deal {number}"}, at=NOON)


def test_a_deal_of_the_universal_method_is_typed(portal: Portal, admin: Asker) -> None:
    crm.add_item(
        portal,
        "deal",
        {
            "title": "One",
            "opportunity": Decimal("999.90"),
            "begindate": date(2026, 3, 1),
            "contactIds": [4, 5],
        },
        at=NOON,
    )
    body = admin.answer("crm.item.list", entityTypeId=2)
    item = body["result"]["items"][0]
    assert item["id"] == 1
    assert item["createdTime"] == "2026-03-02T07:00:00-05:00"
    assert item["opportunity"] == 999.9
    assert item["begindate"] == "2026-02-28T19:00:00-05:00"  # midnight UTC, west of Greenwich
    assert (item["closed"], item["isNew"], item["stageSemanticId"]) == ("N", "Y", "P")
    assert (item["companyId"], item["contactIds"], item["observers"]) == (0, [4, 5], [])
    for disabled in ("isWon", "isLose", "isWork", "receivedAmount", "lostAmount"):
        assert item[disabled] is None
    asked = admin.result("crm.item.list", entityTypeId=2, select=["opportunityAccount"])
    assert asked["items"] == [{"id": 1, "opportunityAccount": None}]
    assert item["entityTypeId"] == 2
    assert body["total"] == 1
    assert "next" not in body


def test_an_empty_link_is_zero_or_null(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    fill(portal, 1)
    emulator.site(portal).quirks.empty_links_are_null = True
    item = admin.result("crm.item.get", entityTypeId=2, id=1)["item"]
    assert item["companyId"] is None
    assert ids(admin, filter={"companyId": 0}) == ids(admin, filter={"=companyId": ""}) == [1]


def test_only_selected_fields_come(portal: Portal, admin: Asker) -> None:
    fill(portal, 1)
    items = admin.result("crm.item.list", entityTypeId=2, select=["id", "stageId", "nonsense"])["items"]
    assert items == [{"id": 1, "stageId": "NEW"}]


def test_whole_amounts_are_whole_numbers(portal: Portal, admin: Asker) -> None:
    crm.add_item(portal, "deal", {"opportunity": Decimal("19000.00")})
    text = admin.post("crm.item.list", entityTypeId=2, select=["opportunity"]).text
    assert '"opportunity":19000}' in text


def test_offsets_are_floored_to_pages_and_next_ends(portal: Portal, admin: Asker) -> None:
    fill(portal, 120)
    first = admin.answer("crm.item.list", entityTypeId=2, select=["id"])
    assert (len(first["result"]["items"]), first["total"], first["next"]) == (50, 120, 50)
    middle = admin.answer("crm.item.list", entityTypeId=2, select=["id"], start=75)
    assert middle["result"]["items"][0]["id"] == 51
    assert middle["next"] == 100
    last = admin.answer("crm.item.list", entityTypeId=2, select=["id"], start=100)
    assert len(last["result"]["items"]) == 20
    assert "next" not in last
    upper = admin.answer("crm.item.list", entityTypeId=2, select=["id"], START=100)
    assert upper["result"]["items"][0]["id"] == 1  # only the lower-case name counts


def test_without_counting_there_is_no_total_or_a_zero(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    fill(portal, 60)
    body = admin.answer("crm.item.list", entityTypeId=2, select=["id"], start=-1)
    assert len(body["result"]["items"]) == 50
    assert not {"total", "next"} & set(body)
    emulator.site(portal).quirks.uncounted_total_is_zero = True
    body = admin.answer("crm.item.list", entityTypeId=2, select=["id"], start=-1)
    assert body["total"] == 0


def test_keyset_pages_go_both_ways(portal: Portal, admin: Asker) -> None:
    fill(portal, 120)
    up = {"order": {"id": "ASC"}, "start": -1}
    down = {"order": {"id": "DESC"}, "start": -1}
    assert ids(admin, filter={">id": 50}, **up) == list(range(51, 101))
    assert ids(admin, filter={">id": 100}, **up) == list(range(101, 121))
    assert ids(admin, filter={"<id": 60}, **down) == list(range(59, 9, -1))
    assert ids(admin, filter={">id": 10, "<=id": 12}, **down) == [12, 11]


def test_filters_know_their_operators(portal: Portal, admin: Asker) -> None:
    for number in range(1, 7):
        crm.add_item(
            portal,
            "deal",
            {
                "title": f"Deal {number}",
                "opportunity": Decimal(number) * 10,
                "sourceId": "WEB" if number % 2 else None,
                "assignedById": number % 3,
            },
            at=NOON.replace(hour=number),
        )
    crm.move_deal(portal, 4, "WON", at=NOON)
    assert ids(admin, filter={">opportunity": 20, "<=opportunity": "50"}) == [3, 4, 5]
    assert ids(admin, filter={"@assignedById": [0, 1]}) == [1, 3, 4, 6]
    assert ids(admin, filter={"!@assignedById": [0, 1]}) == [2, 5]
    assert ids(admin, filter={"assignedById": ["1", "2"]}) == [1, 2, 4, 5]
    assert ids(admin, filter={"sourceId": ""}) == [2, 4, 6]
    assert ids(admin, filter={"!=sourceId": ""}) == [1, 3, 5]
    assert ids(admin, filter={"!=sourceId": "WEB"}) == [2, 4, 6]
    assert ids(admin, filter={"%title": "deal 3"}) == [3]
    assert ids(admin, filter={"=%title": "%5"}) == [5]
    assert ids(admin, filter={"!%title": "3"}) == [1, 2, 4, 5, 6]
    assert ids(admin, filter={"closed": "Y"}) == ids(admin, filter={"stageSemanticId": "S"}) == [4]
    assert ids(admin, filter={"@stageId": []}) == []
    assert ids(admin, filter={">=createdTime": "2026-03-02T05:00:00+00:00", "closed": "N"}) == [5, 6]
    assert ids(admin, filter={">=createdTime": "2026-03-02T00:00:00-05:00"}) == [5, 6]
    assert ids(admin, filter={">=updatedTime": "2026-03-02T06:00:00Z"}) == [4, 6]
    nested = {"0": {"logic": "OR", "0": {"id": 1}, "1": {">opportunity": 50}}, "!id": 6}
    assert ids(admin, filter=nested) == [1]
    assert ids(admin, filter={"logic": "OR", "id": 2, "sourceId": "WEB"}) == [1, 2, 3, 5]
    assert ids(admin, order={"opportunity": "DESC", "id": "ASC"}) == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"filter": {"STAGE_ID": "NEW"}}, "Invalid filter: field 'STAGE_ID' is not allowed in filter"),
        ({"filter": {">=updatedTime": "soon"}}, "Invalid filter: field 'updatedTime' has invalid value"),
        ({"filter": {"isWon": "Y"}}, "Invalid filter: field 'isWon' is not allowed in filter"),
        ({"order": {"nonsense": "ASC"}}, "Invalid order: field 'nonsense' is not allowed in order"),
        (
            {"order": {"id": "up"}},
            "Invalid order: allowed sort directions are `ASC, DESC`. But got 'up' for field 'id'",
        ),
    ],
)
def test_bad_fields_are_refused_in_the_portals_words(admin: Asker, query: Any, text: str) -> None:
    response = admin.post("crm.item.list", entityTypeId=2, **query)
    assert response.status_code == 400
    assert response.json() == {"error": "INVALID_ARG_VALUE", "error_description": text}


def test_missing_items_and_types(admin: Asker) -> None:
    assert admin.refusal("crm.item.list", entityTypeId=128) == (400, "NOT_FOUND")
    assert admin.refusal("crm.item.list") == (400, "NOT_FOUND")
    assert admin.refusal("crm.item.get", entityTypeId=2, id=5) == (400, "NOT_FOUND")


def test_the_older_family_has_other_names_and_only_texts(portal: Portal, admin: Asker) -> None:
    crm.add_item(portal, "deal", {"title": "A", "opportunity": Decimal("19999.99"), "companyId": 9}, at=NOON)
    body = admin.answer(
        "crm.deal.list",
        filter={">ID": 0},
        select=["ID", "OPPORTUNITY", "DATE_CREATE", "COMPANY_ID", "CONTACT_ID"],
    )
    assert body["result"] == [
        {
            "ID": "1", "OPPORTUNITY": "19999.99", "DATE_CREATE": "2026-03-02T07:00:00-05:00",
            "COMPANY_ID": "9",
            "CONTACT_ID": None,
        }
    ]  # fmt: skip
    assert body["total"] == 1
    assert admin.answer("crm.deal.list", start=-1)["total"] == 0
    assert len(admin.result("crm.deal.list", filter={"NONSENSE": 5})) == 1
    lead = crm.add_item(portal, "lead", {"title": "L"}, at=NOON)
    row = admin.result("crm.lead.get", id=lead)
    assert (row["STATUS_ID"], row["STATUS_SEMANTIC_ID"], row["DATE_CLOSED"]) == ("NEW", "P", "")
    assert admin.refusal("crm.deal.get", id=77) == (400, "")


def test_leads_have_a_stage_but_no_pipeline(portal: Portal, admin: Asker) -> None:
    lead = crm.add_item(portal, "lead", {"title": "L"}, at=NOON)
    crm.move_lead(portal, lead, "CONVERTED", at=NOON.replace(hour=15))
    item = admin.result("crm.item.get", entityTypeId=1, id=lead)["item"]
    assert (item["stageId"], item["stageSemanticId"]) == ("CONVERTED", "S")
    assert item["dateClosed"] == "2026-03-02T10:00:00-05:00"
    assert "categoryId" not in item
    assert admin.refusal("crm.item.list", entityTypeId=1, filter={"categoryId": 0})[1] == "INVALID_ARG_VALUE"
    assert admin.refusal("crm.category.list", entityTypeId=1) == (400, "ENTITY_TYPE_NOT_SUPPORTED")


def history(admin: Asker, **query: Any) -> list[tuple[int, str]]:
    query = {"entityTypeId": 2, "order": {"ID": "ASC"}, **query}
    return [
        (row["TYPE_ID"], row["STAGE_ID"]) for row in admin.result("crm.stagehistory.list", **query)["items"]
    ]


def test_a_deals_way_is_written_into_the_stage_history(portal: Portal, admin: Asker) -> None:
    seed.add_pipeline(portal, "Second")
    deal = crm.add_item(portal, "deal", {"title": "D"}, at=NOON)
    crm.move_deal(portal, deal, "EXECUTING", at=NOON.replace(hour=13))
    crm.move_deal(portal, deal, "WON", at=NOON.replace(hour=14))
    crm.move_deal(portal, deal, "NEW", at=NOON.replace(hour=15))
    crm.move_deal(portal, deal, "C1:LOSE", at=NOON.replace(hour=16))
    assert history(admin) == [(1, "NEW"), (2, "EXECUTING"), (3, "WON"), (2, "NEW"), (5, "C1:LOSE")]
    item = admin.result("crm.item.get", entityTypeId=2, id=deal)["item"]
    assert (item["categoryId"], item["stageSemanticId"], item["closed"]) == (1, "F", "Y")
    assert item["movedTime"] == item["updatedTime"] == "2026-03-02T11:00:00-05:00"
    row = admin.result(
        "crm.stagehistory.list", entityTypeId=2, filter={"OWNER_ID": deal}, order={"ID": "DESC"}
    )
    assert row["items"][0] == {
        "ID": 5, "TYPE_ID": 5, "OWNER_ID": deal, "CREATED_TIME": "2026-03-02T11:00:00-05:00",
        "CATEGORY_ID": 1,
        "STAGE_SEMANTIC_ID": "F", "STAGE_ID": "C1:LOSE",
    }  # fmt: skip


def test_older_builds_rewrite_the_history(portal: Portal, admin: Asker) -> None:
    portal.rewrites_history = True
    seed.add_pipeline(portal, "Second")
    deal = crm.add_item(portal, "deal", {"title": "D"}, at=NOON)
    crm.move_deal(portal, deal, "WON", at=NOON)
    crm.move_deal(portal, deal, "EXECUTING", at=NOON)
    assert history(admin) == [(1, "NEW"), (2, "EXECUTING")]
    crm.move_deal(portal, deal, "C1:NEW", at=NOON)
    assert history(admin) == [(5, "C1:NEW")]


def test_history_names_are_upper_and_id_always_comes(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    fill(portal, 2)
    crm.add_item(portal, "lead", {"title": "L"}, at=NOON)
    asked = {"entityTypeId": 2, "select": ["STAGE_ID"], "filter": {">ID": 1}, "start": -1}
    body = admin.answer("crm.stagehistory.list", **asked)
    assert body["result"]["items"] == [{"ID": 2, "STAGE_ID": "NEW"}]
    assert "total" not in body
    lead = admin.result("crm.stagehistory.list", entityTypeId=1)["items"]
    assert [set(row) for row in lead] == [
        {"ID", "TYPE_ID", "OWNER_ID", "CREATED_TIME", "STATUS_SEMANTIC_ID", "STATUS_ID"}
    ]
    assert admin.refusal("crm.stagehistory.list", entityTypeId=2, filter={"id": 1})[1] == "INVALID_ARG_VALUE"
    assert admin.refusal("crm.stagehistory.list", entityTypeId=3) == (400, "ENTITY_TYPE_NOT_SUPPORTED")
    assert len(history(admin, order={"id": "ASC"})) == 2
    emulator.site(portal).quirks.unknown_history_order_fails = True
    assert (
        admin.refusal("crm.stagehistory.list", entityTypeId=2, order={"id": "ASC"})[1] == "INVALID_ARG_VALUE"
    )


def test_writing_through_rest_moves_and_notes(portal: Portal, admin: Asker) -> None:
    fields = {"title": "New", "opportunity": "12.5", "begindate": "2026-02-03", "closed": "Y"}
    item = admin.result("crm.item.add", entityTypeId=2, fields=fields)["item"]
    assert (item["id"], item["opportunity"], item["closed"]) == (1, 12.5, "N")
    assert item["begindate"] == "2026-02-02T19:00:00-05:00"
    item = admin.result("crm.item.update", entityTypeId=2, id=1, fields={"stageId": "WON"})["item"]
    assert (item["closed"], item["stageSemanticId"], item["movedBy"]) == ("Y", "S", 1)
    assert history(admin) == [(1, "NEW"), (3, "WON")]
    assert admin.result("crm.item.delete", entityTypeId=2, id=1) == []
    assert history(admin) == []
    assert admin.result("crm.item.add", entityTypeId=2, fields={})["item"]["id"] == 2  # no id comes back


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"stageId": "C7:NEW"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"assignedById": "Ivan"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"currencyId": "XXX"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"begindate": "soon"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"opportunity": "much"}, "CRM_FIELD_ERROR_VALUE_NOT_VALID"),
        ({"contactIds": 5}, "100"),
        ({"STAGE_ID": "NEW"}, "INVALID_ARG_VALUE"),
    ],
)
def test_wrong_values_are_refused(admin: Asker, fields: dict[str, Any], code: str) -> None:
    assert admin.refusal("crm.item.add", entityTypeId=2, fields=fields) == (400, code)


def test_rights_look_like_fewer_rows(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    sales = seed.add_department(portal, "Sales", parent_id=1)
    west = seed.add_department(portal, "West", parent_id=sales)
    head = seed.add_user(portal, "Helga", "H", departments=[1])
    ivan = seed.add_user(portal, "Ivan", "I", departments=[west])
    oleg = seed.add_user(portal, "Oleg", "O", departments=[1])
    portal.change("department", sales, UF_HEAD=head)
    deals = {user: crm.add_item(portal, "deal", {"assignedById": user}) for user in (1, head, ivan, oleg)}
    assert ids(admin) == [1, 2, 3, 4]
    assert ids(asker(emulator, portal, head)) == [deals[head], deals[ivan]]
    mine = asker(emulator, portal, ivan)
    body = mine.answer("crm.item.list", entityTypeId=2)
    assert ([row["id"] for row in body["result"]["items"]], body["total"]) == ([deals[ivan]], 1)
    assert mine.refusal("crm.item.get", entityTypeId=2, id=deals[oleg]) == (400, "ACCESS_DENIED")
    assert mine.refusal("crm.item.update", entityTypeId=2, id=1, fields={}) == (400, "ACCESS_DENIED")
    owners = {row["OWNER_ID"] for row in mine.result("crm.stagehistory.list", entityTypeId=2)["items"]}
    assert owners == {deals[ivan]}
    portal.change("user", ivan, UF_DEPARTMENT=[1])  # moved away: the head loses sight at once
    assert ids(asker(emulator, portal, head)) == [deals[head]]


def test_extranet_users_see_no_crm(emulator: Emulator, portal: Portal) -> None:
    guest = seed.add_user(portal, "Guest", "G", USER_TYPE="extranet")
    refusal = asker(emulator, portal, guest).refusal("crm.item.list", entityTypeId=2)
    assert refusal == (403, "allowed_only_intranet_user")


def test_reference_lists(portal: Portal, admin: Asker) -> None:
    seed.add_pipeline(portal, "Second")
    seed.add_currency(portal, "USD", amount="91.5")
    body = admin.answer("crm.category.list", entityTypeId=2)
    default = {"id": 0, "name": "General", "sort": 200, "entityTypeId": 2, "isDefault": "Y"}
    assert default in body["result"]["categories"]
    assert body["total"] == 2
    statuses = admin.answer("crm.status.list", order={"SORT": "ASC"}, filter={"ENTITY_ID": "DEAL_STAGE_1"})
    assert [row["STATUS_ID"] for row in statuses["result"]][:2] == ["C1:NEW", "C1:PREPARATION"]
    assert statuses["total"] == 8
    assert all(isinstance(row["SORT"], str) for row in statuses["result"])
    won = next(row for row in statuses["result"] if row["STATUS_ID"] == "C1:WON")
    assert (won["SEMANTICS"], won["EXTRA"]["SEMANTICS"]) == ("S", "success")
    for number in range(4):
        seed.add_pipeline(portal, f"More {number}")
    everything = admin.answer("crm.status.list")
    assert everything["total"] == len(everything["result"]) > 50  # no pages
    source = next(row for row in everything["result"] if row["ENTITY_ID"] == "SOURCE")
    assert "EXTRA" not in source
    currencies = admin.answer("crm.currency.list")
    assert currencies["total"] == 0
    assert [(row["CURRENCY"], row["AMOUNT"], row["BASE"]) for row in currencies["result"]] == [
        ("RUB", "1.0000", "Y"), ("USD", "91.5000", "N"),
    ]  # fmt: skip
    assert admin.result("crm.currency.base.get") == "RUB"
    assert admin.result("crm.settings.mode.get") == 1
    portal.uses_leads = False
    assert admin.result("crm.settings.mode.get") == 2
    assert admin.result("crm.type.list") == {"types": []}


def test_field_descriptions(admin: Asker) -> None:
    fields = admin.result("crm.item.fields", entityTypeId=2)["fields"]
    assert fields["createdTime"] == {
        "type": "datetime", "isRequired": False, "isReadOnly": True, "isImmutable": False,
        "isMultiple": False,
        "isDynamic": False, "title": "Created time", "upperName": "CREATED_TIME",
    }  # fmt: skip
    assert fields["stageId"]["statusType"] == "DEAL_STAGE"


def test_custom_fields_and_links_pass_through(portal: Portal, admin: Asker) -> None:
    crm.add_item(portal, "deal", {"ufCrm_1721244707107": Decimal("1111.1"), "parentId1220": 2})
    item = admin.result("crm.item.get", entityTypeId=2, id=1)["item"]
    assert (item["ufCrm_1721244707107"], item["parentId1220"]) == (1111.1, 2)
    listed = admin.result("crm.item.list", entityTypeId=2, select=["id", "parentId1220"])["items"]
    assert listed == [{"id": 1, "parentId1220": 2}]


def test_activities_are_texts_by_their_start(portal: Portal, admin: Asker) -> None:
    fill(portal, 1)
    for hour in (15, 13):
        portal.put(
            "activity",
            {
                "OWNER_ID": 1, "OWNER_TYPE_ID": 2, "TYPE_ID": 2, "PROVIDER_ID": "VOXIMPLANT_CALL",
                "COMPLETED": True,
                "RESPONSIBLE_ID": 1, "START_TIME": NOON.replace(hour=hour), "LAST_UPDATED": NOON,
                "BINDINGS": [{"OWNER_TYPE_ID": 3, "OWNER_ID": 4}],
            },
        )  # fmt: skip
    body = admin.answer("crm.activity.list")
    assert [row["ID"] for row in body["result"]] == ["2", "1"]
    row = body["result"][0]
    assert (row["OWNER_ID"], row["COMPLETED"], row["SETTINGS"]) == ("1", "Y", [])
    assert row["DEADLINE"].startswith("9999-")
    assert "BINDINGS" not in row
    bound = admin.answer("crm.activity.list", filter={"BINDINGS": [{"OWNER_TYPE_ID": 3, "OWNER_ID": 4}]})
    assert bound["total"] == 2
    both = [{"OWNER_TYPE_ID": 3, "OWNER_ID": 4}, {"OWNER_TYPE_ID": 2, "OWNER_ID": 1}]
    assert len(admin.result("crm.activity.list", filter={"BINDINGS": both})) == 4  # rows can come twice


def test_a_loaded_row_without_optional_fields_is_served(portal: Portal, admin: Asker) -> None:
    portal.put("deal", {"stageId": "NEW", "assignedById": 1}, quiet=True)
    item = admin.result("crm.item.list", entityTypeId=2)["items"][0]
    assert (item["title"], item["createdTime"], item["opportunity"], item["closed"]) == (None, None, 0, "N")
    portal.put("deal", rows.deal("R", created=NOON, owner=1, stage="NEW"))
    assert ids(admin) == [1, 2]
