"""Smart processes, invoices and custom fields of the emulated portal: fields, history, events, rights."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from emulator import crm, seed
from emulator.crm_fields import custom_name
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker, inbox

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DESK = 1036
KIND = "dynamic_1036"


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    portal = emulator.add_portal(timezone="Europe/Moscow")
    emulator.app(portal).is_installed = True
    seed.add_smart_process(portal, "Help desk", entity_type_id=DESK, id=3)
    return portal


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def history(admin: Asker, entity_type: int) -> list[tuple[int, str, str]]:
    rows = admin.result("crm.stagehistory.list", entityTypeId=entity_type, order={"ID": "ASC"})["items"]
    return [(row["TYPE_ID"], row["STAGE_ID"], row["STAGE_SEMANTIC_ID"]) for row in rows]


def test_an_item_walks_through_the_stages_of_its_own_pipeline(portal: Portal, admin: Asker) -> None:
    item = admin.result("crm.item.add", entityTypeId=DESK, fields={"title": "Broken", "companyId": 9})["item"]
    assert (item["id"], item["stageId"], item["entityTypeId"]) == (1, "DT1036_1:NEW", DESK)
    assert "stageSemanticId" not in item  # only crm.status.list tells it
    assert (item["companyId"], item["contactId"], item["contactIds"]) == (9, 0, [])
    admin.result("crm.item.update", entityTypeId=DESK, id=1, fields={"stageId": "DT1036_1:CLIENT"})
    moved = admin.result("crm.item.update", entityTypeId=DESK, id=1, fields={"stageId": "DT1036_1:SUCCESS"})
    assert (moved["item"]["previousStageId"], moved["item"]["movedBy"]) == ("DT1036_1:CLIENT", 1)
    crm.move_item(portal, KIND, 1, "DT1036_1:PREPARATION")
    assert history(admin, DESK) == [
        (1, "DT1036_1:NEW", "P"), (2, "DT1036_1:CLIENT", "P"), (3, "DT1036_1:SUCCESS", "S"),
        (2, "DT1036_1:PREPARATION", "P"),
    ]  # fmt: skip
    refusal = admin.refusal("crm.item.update", entityTypeId=DESK, id=1, fields={"stageId": "NEW"})
    assert refusal == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
    assert admin.result("crm.item.delete", entityTypeId=DESK, id=1) == []
    assert history(admin, DESK) == []


def test_ids_of_types_pipelines_items_and_history_are_apart(portal: Portal, admin: Asker) -> None:
    seed.add_pipeline(portal, "Deals, too, have a pipeline 1")
    crm.add_item(portal, "deal", {"title": "D"}, at=NOON)
    crm.add_item(portal, KIND, {"title": "T"}, at=NOON)
    for entity_type, title in ((2, "D"), (DESK, "T")):
        items = admin.result("crm.item.list", entityTypeId=entity_type, select=["id", "title"])["items"]
        assert items == [{"id": 1, "title": title}]
        rows = admin.result("crm.stagehistory.list", entityTypeId=entity_type)["items"]
        assert [(row["ID"], row["OWNER_ID"]) for row in rows] == [(1, 1)]
    pipelines = {
        entity_type: admin.result("crm.category.list", entityTypeId=entity_type)["categories"]
        for entity_type in (2, DESK)
    }
    assert {row["id"] for row in pipelines[2]} == {0, 1}
    assert [(row["id"], row["isDefault"], row["entityTypeId"]) for row in pipelines[DESK]] == [(1, "Y", DESK)]
    stages = admin.result(
        "crm.status.list", filter={"ENTITY_ID": "DYNAMIC_1036_STAGE_1"}, order={"SORT": "ASC"}
    )
    assert [(row["STATUS_ID"], row["SEMANTICS"]) for row in stages] == [
        ("DT1036_1:NEW", None), ("DT1036_1:PREPARATION", None), ("DT1036_1:CLIENT", None),
        ("DT1036_1:SUCCESS", "S"), ("DT1036_1:FAIL", "F"),
    ]  # fmt: skip
    assert stages[3]["EXTRA"] == {"SEMANTICS": "success", "COLOR": "#00FF00"}
    assert stages[0]["CATEGORY_ID"] == "1"


def test_a_move_to_another_pipeline_is_told(portal: Portal, admin: Asker) -> None:
    second = seed.add_item_pipeline(portal, DESK, "Second line")
    crm.add_item(portal, KIND, {"title": "T"}, at=NOON)
    crm.move_item(portal, KIND, 1, f"DT1036_{second}:FAIL", at=NOON)
    assert history(admin, DESK)[-1] == (5, f"DT1036_{second}:FAIL", "F")
    item = admin.result("crm.item.get", entityTypeId=DESK, id=1)["item"]
    assert item["categoryId"] == second


def test_switches_decide_which_fields_there_are(portal: Portal, admin: Asker) -> None:
    bare = seed.add_smart_process(
        portal, "Bare", isStagesEnabled=False, isClientEnabled=False, isLinkWithProductsEnabled=False
    )
    assert bare == 1038
    crm.add_item(portal, f"dynamic_{bare}", {"title": "B"}, at=NOON)
    item = admin.result("crm.item.get", entityTypeId=bare, id=1)["item"]
    gone = {"stageId", "movedTime", "movedBy", "previousStageId", "companyId", "contactIds", "opportunity"}
    assert gone.isdisjoint(item)
    assert gone <= set(admin.result("crm.item.fields", entityTypeId=DESK)["fields"])
    refused = admin.refusal("crm.item.list", entityTypeId=bare, filter={"stageId": "X"})
    assert refused == (400, "INVALID_ARG_VALUE")
    assert admin.refusal("crm.stagehistory.list", entityTypeId=bare) == (400, "ENTITY_TYPE_NOT_SUPPORTED")


def test_types_are_for_admins_and_unknown_ones_have_an_odd_code(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    ivan = asker(emulator, portal, seed.add_user(portal, "Ivan", "I"))
    assert ivan.refusal("crm.type.list") == (400, "ACCESS_DENIED")
    assert ivan.result("crm.type.getByEntityTypeId", entityTypeId=DESK)["type"]["id"] == 3
    response = admin.post("crm.type.get", id=77)
    assert (response.status_code, response.json()["error"]) == (400, 0)
    body = admin.answer("crm.type.list", filter={"isStagesEnabled": "Y", "!code": "x"}, start=-1)
    assert [row["entityTypeId"] for row in body["result"]["types"]] == [DESK]
    assert "total" not in body
    assert admin.refusal("crm.type.list", filter={"name": "x"}) == (400, "INVALID_ARG_VALUE")
    assert admin.refusal("crm.item.list", entityTypeId=1038) == (400, "NOT_FOUND")
    assert admin.refusal("crm.item.list", entityTypeId=5) == (400, "ENTITY_TYPE_NOT_SUPPORTED")


def test_items_of_others_are_silently_missing(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    ivan = seed.add_user(portal, "Ivan", "I")
    crm.add_item(portal, KIND, {"title": "Boss's"}, at=NOON)
    mine = crm.add_item(portal, KIND, {"title": "Ivan's", "assignedById": ivan}, at=NOON)
    asked = asker(emulator, portal, ivan)
    body = asked.answer("crm.item.list", entityTypeId=DESK)
    assert ([row["id"] for row in body["result"]["items"]], body["total"]) == ([mine], 1)
    assert asked.refusal("crm.item.get", entityTypeId=DESK, id=1) == (400, "ACCESS_DENIED")
    assert {row["OWNER_ID"] for row in asked.result("crm.stagehistory.list", entityTypeId=DESK)["items"]} == {
        mine
    }


def test_events_come_for_the_type_and_for_all_types(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    seed.add_smart_process(portal, "Other", entity_type_id=1040)
    assert "ONCRMDYNAMICITEMUPDATE_1036" in admin.result("events")
    unknown = admin.refusal("event.bind", event="onCrmDynamicItemAdd_1060", event_type="offline")
    assert unknown == (400, "ERROR_EVENT_NOT_FOUND")
    with inbox() as box:
        for event in ("onCrmDynamicItemUpdate", "onCrmDynamicItemUpdate_1036", "onCrmDealUpdate"):
            admin.result("event.bind", event=event, handler=box.url)
        for kind in (KIND, "dynamic_1040", "deal"):
            crm.add_item(portal, kind, {"title": "T"}, at=NOON)
            crm.update_item(portal, kind, 1, {"title": "U"}, at=NOON)
        emulator.events(portal).settle()
    told = sorted((form["event"], form["data"]["FIELDS"].get("ENTITY_TYPE_ID", "")) for form in box.forms)
    assert told == [
        ("ONCRMDEALUPDATE", ""), ("ONCRMDYNAMICITEMUPDATE", "1036"), ("ONCRMDYNAMICITEMUPDATE", "1040"),
        ("ONCRMDYNAMICITEMUPDATE_1036", "1036"),
    ]  # fmt: skip


def test_a_tab_can_be_placed_only_while_the_smart_process_exists(portal: Portal, admin: Asker) -> None:
    url = "http://127.0.0.1:8024/"
    assert "CRM_DYNAMIC_1036_DETAIL_TAB" in admin.result("placement.list")
    assert admin.result("placement.bind", PLACEMENT="CRM_DYNAMIC_1036_DETAIL_TAB", HANDLER=url) is True
    refused = admin.refusal("placement.bind", PLACEMENT="CRM_DYNAMIC_1060_DETAIL_TAB", HANDLER=url)
    assert refused == (400, "ERROR_PLACEMENT_NOT_FOUND")


def test_invoices_have_stages_without_a_semantic(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    pipeline = seed.add_invoices(portal)
    crm.add_item(portal, "invoice", {"title": "I", "opportunity": Decimal("10.5"), "parentId2": 4}, at=NOON)
    with inbox() as box:
        admin.result("event.bind", event="onCrmDynamicItemUpdate", handler=box.url)
        crm.move_item(portal, "invoice", 1, f"DT31_{pipeline}:P", at=NOON)
        emulator.events(portal).settle()
    assert box.forms[0]["data"]["FIELDS"] == {"ID": "1", "ENTITY_TYPE_ID": "31"}
    item = admin.result("crm.item.list", entityTypeId=31, filter={"parentId2": 4})["items"][0]
    assert (item["stageId"], item["previousStageId"]) == (f"DT31_{pipeline}:P", f"DT31_{pipeline}:N")
    assert (item["opportunity"], item["accountNumber"], item["parentId2"]) == (10.5, "1", 4)
    assert "stageSemanticId" not in item
    assert history(admin, 31) == [(1, f"DT31_{pipeline}:N", "P"), (3, f"DT31_{pipeline}:P", "S")]
    fields = admin.result("crm.item.fields", entityTypeId=31)["fields"]
    assert fields["stageId"]["statusType"] == f"SMART_INVOICE_STAGE_{pipeline}"


@pytest.mark.parametrize(
    ("upper", "camel"),
    [
        ("UF_CRM_1639669411830", "ufCrm_1639669411830"),
        ("UF_CRM_44_1721812760630", "ufCrm44_1721812760630"),
        ("UF_CRM_10_DIGIT", "ufCrm10Digit"),
        ("UF_CRM_10_DIGIT10", "ufCrm_10_DIGIT10"),
        ("UF_CRM_PLAN_BUDGET", "ufCrmPlanBudget"),
    ],
)
def test_names_of_custom_fields_are_converted_as_the_page_says(upper: str, camel: str) -> None:
    assert custom_name(upper) == camel


def test_custom_fields_are_typed_filtered_and_described(portal: Portal, admin: Asker) -> None:
    budget = seed.add_custom_field(portal, KIND, "Budget", "double", code="1700000001")
    rating = seed.add_custom_field(portal, KIND, "Rating", "enumeration", choices=("Good", "Bad"))
    urgent = seed.add_custom_field(portal, KIND, "Urgent", "boolean")
    due = seed.add_custom_field(portal, KIND, "Due", "date")
    assert budget == "ufCrm3_1700000001"
    fields = {budget: "100.5", rating: 42, urgent: "Y", due: "2026-03-05"}
    item = admin.result("crm.item.add", entityTypeId=DESK, fields={"title": "A", **fields})["item"]
    assert [item[name] for name in (budget, rating, urgent)] == [100.5, 42, "Y"]
    assert item[due] == "2026-03-05T03:00:00+03:00"
    empty = admin.result("crm.item.add", entityTypeId=DESK, fields={"title": "B"})["item"]
    assert [empty[name] for name in (budget, rating, urgent, due)] == [None, None, "N", None]

    def ids(**filters: Any) -> list[int]:
        asked = admin.result("crm.item.list", entityTypeId=DESK, select=["id"], filter=filters)
        return [row["id"] for row in asked["items"]]

    assert ids(**{f">={budget}": 100}) == ids(**{f"@{rating}": [42, 43]}) == ids(**{urgent: 1}) == [1]
    assert ids(**{urgent: 0}) == ids(**{urgent: "Y"}) == [2]  # letters are not understood here
    assert ids(**{f"<{due}": "2026-03-06"}) == [1]
    for wrong in ({rating: 99}, {budget: "much"}, {due: "soon"}):
        refused = admin.refusal("crm.item.add", entityTypeId=DESK, fields=wrong)
        assert refused == (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID")
    described = admin.result("crm.item.fields", entityTypeId=DESK)["fields"][rating]
    assert described["items"] == [{"ID": "41", "VALUE": "Good"}, {"ID": "42", "VALUE": "Bad"}]
    assert (described["isDynamic"], described["upperName"]) == (True, "UF_CRM_3_1700000002")


def test_custom_fields_by_their_original_names(portal: Portal, admin: Asker) -> None:
    seed.add_custom_field(portal, "deal", "Plan", "double", code="PLAN")
    crm.add_item(portal, "deal", {"title": "D", "ufCrmPlan": Decimal(7)}, at=NOON)
    asked = {"entityTypeId": 2, "useOriginalUfNames": "Y", "select": ["id", "UF_CRM_PLAN", "ufCrmPlan"]}
    listed = admin.result("crm.item.list", filter={">UF_CRM_PLAN": 1}, **asked)["items"]
    assert listed == [{"id": 1, "UF_CRM_PLAN": 7}]
    assert admin.refusal("crm.item.list", filter={">ufCrmPlan": 1}, **asked)[1] == "INVALID_ARG_VALUE"
    plain = admin.result("crm.item.list", entityTypeId=2, select=["id", "UF_CRM_PLAN", "ufCrmPlan"])["items"]
    assert plain == [{"id": 1, "ufCrmPlan": 7}]
    assert admin.refusal("crm.item.list", entityTypeId=2, filter={"ufCrmNone": 1})[1] == "INVALID_ARG_VALUE"
    old = admin.result("crm.deal.list", filter={">UF_CRM_PLAN": 1}, select=["ID", "UF_*"])
    assert old == [{"ID": "1", "UF_CRM_PLAN": "7.00"}]
    assert "UF_CRM_PLAN" not in admin.result("crm.deal.list")[0]


def test_settings_of_custom_fields_need_two_scopes_and_an_admin(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    seed.add_custom_field(portal, KIND, "Rating", "enumeration", choices=("Good",))
    seed.add_custom_field(portal, "deal", "Plan", "double")
    asked: dict[str, Any] = {"moduleId": "crm", "filter": {"entityId": "CRM_3"}}
    body = admin.answer("userfieldconfig.list", **asked)
    assert [(row["fieldName"], row["userTypeId"]) for row in body["result"]["fields"]] == [
        ("UF_CRM_3_1700000001", "enumeration")
    ]
    assert body["total"] == 1
    assert "enum" not in body["result"]["fields"][0]
    ivan = asker(emulator, portal, seed.add_user(portal, "Ivan", "I"))
    response = ivan.post("userfieldconfig.list", **asked)
    assert (response.status_code, response.json()["error"]) == (400, "")
    emulator.app(portal).scopes = {"userfieldconfig"}
    text = asker(emulator, portal).post("userfieldconfig.list", **asked).json()["error_description"]
    assert text == "The current method required more scopes. (crm)"
    emulator.app(portal).scopes = {"crm"}
    assert asker(emulator, portal).refusal("userfieldconfig.list", **asked)[1] == "insufficient_scope"


def test_dates_begin_and_end_and_the_expected_end_becomes_the_real_one(portal: Portal, admin: Asker) -> None:
    crm.add_item(portal, KIND, {"title": "T", "closedate": date(2026, 4, 1)}, at=NOON)
    crm.move_item(portal, KIND, 1, "DT1036_1:SUCCESS", at=NOON.replace(day=5))
    item = admin.result("crm.item.get", entityTypeId=DESK, id=1)["item"]
    assert (item["begindate"], item["closedate"]) == (
        "2026-03-02T03:00:00+03:00",
        "2026-03-05T03:00:00+03:00",
    )
