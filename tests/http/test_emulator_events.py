"""Events of the emulated portal: binding, delivery and its accidents, the offline queue, the app's life."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from emulator import crm, seed
from emulator.events import acting
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, Inbox, asker, inbox


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    portal = emulator.add_portal()
    emulator.app(portal).is_installed = True
    return portal


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


@pytest.fixture
def box() -> Iterator[Inbox]:
    with inbox() as box:
        yield box


def bind(admin: Asker, box: Inbox, *events: str) -> None:
    for event in events:
        assert admin.result("event.bind", event=event, handler=box.url) is True


def received(admin: Asker, box: Inbox) -> list[str]:
    admin.emulator.events(admin.portal).settle()
    return [form["event"] for form in box.forms]


def test_a_change_by_a_user_arrives_as_a_php_form_with_his_token(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    bind(admin, box, "onCrmDealUpdate")
    deal = crm.add_item(portal, "deal", {})
    admin.result("crm.item.update", entityTypeId=2, id=deal, fields={"title": "x"})
    assert received(admin, box) == ["ONCRMDEALUPDATE"]
    form = box.forms[0]
    assert form["data"] == {"FIELDS": {"ID": str(deal)}}
    assert form["event_handler_id"].isdecimal()
    assert abs(int(form["ts"]) - time.time()) < 60
    auth = form["auth"]
    assert auth["member_id"] == portal.member_id
    assert auth["domain"] == portal.domain
    assert auth["application_token"] == emulator.app(portal).application_token
    assert auth["user_id"] == "1"
    assert "refresh_token" not in auth
    admin.token = auth["access_token"]
    assert admin.result("profile")["ID"] == "1"


def test_a_robots_change_brings_no_token(portal: Portal, admin: Asker, box: Inbox) -> None:
    bind(admin, box, "ONCRMDEALADD")
    crm.add_item(portal, "deal", {})
    assert received(admin, box) == ["ONCRMDEALADD"]
    assert "access_token" not in box.forms[0]["auth"]
    assert box.forms[0]["auth"]["application_token"]


def test_a_handler_may_ask_for_the_token_of_one_user(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    ivan = seed.add_user(portal, "Ivan", "I", departments=[1])
    admin.result("event.bind", event="ONCRMDEALADD", handler=box.url, auth_type=ivan)
    crm.add_item(portal, "deal", {})
    received(admin, box)
    assert box.forms[0]["auth"]["user_id"] == str(ivan)
    mine = asker(emulator, portal, ivan)
    assert mine.refusal("event.bind", event="ONCRMDEALADD", handler=box.url, auth_type=1) == (
        403, "ACCESS_DENIED",
    )  # fmt: skip
    assert mine.refusal("event.bind", event="ONCRMDEALADD", event_type="offline") == (403, "ACCESS_DENIED")
    assert mine.refusal("event.bind", event="ONCRMDEALADD", handler=box.url) == (400, "ERROR_CORE")


def test_binding_is_listed_once_and_undone(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    bind(admin, box, "ONCRMDEALADD")
    assert admin.refusal("event.bind", event="OnCrmDealAdd", handler=box.url) == (400, "ERROR_CORE")
    admin.result("event.bind", event="ONCRMDEALADD", event_type="offline")
    assert admin.result("event.get") == [
        {"event": "ONCRMDEALADD", "handler": box.url, "auth_type": "0", "offline": 0},
        {"event": "ONCRMDEALADD", "connector_id": "", "offline": 1},
    ]
    assert admin.result("event.unbind", event="ONCRMDEALADD", handler=box.url) == {"count": 1}
    assert admin.result("event.unbind", event="ONCRMDEALADD", handler=box.url) == {"count": 0}
    assert admin.result("event.unbind", event="ONCRMDEALADD", event_type="offline") == {"count": 1}
    assert admin.refusal("event.bind", event="ONNONSENSE", handler=box.url) == (400, "ERROR_EVENT_NOT_FOUND")
    assert admin.refusal("event.bind", event="ONCRMDEALADD", handler="ftp://x.y/") == (
        400, "ERROR_UNSUPPORTED_PROTOCOL",
    )  # fmt: skip
    emulator.site(portal).quirks.handlers_need_a_dot = True
    refused = admin.refusal("event.bind", event="ONCRMDEALADD", handler="http://localhost/x")
    assert refused == (400, "ERROR_WRONG_HANDLER_URL")
    emulator.app(portal).scopes.discard("task")
    assert admin.refusal("event.bind", event="ONTASKADD", handler=box.url) == (400, "ERROR_EVENT_NOT_FOUND")
    assert "ONTASKADD" not in admin.result("events")


def test_every_kind_of_record_has_its_events(portal: Portal, admin: Asker, box: Inbox) -> None:
    names = (
        "ONCRMDEALMOVETOCATEGORY", "ONCRMDEALDELETE", "ONCRMLEADADD", "ONCRMACTIVITYADD", "ONTASKADD",
        "ONTASKDELETE", "ONUSERADD", "ONVOXIMPLANTCALLEND", "ONCRMCURRENCYADD", "ONSONETGROUPADD",
    )  # fmt: skip
    bind(admin, box, *names)
    seed.add_pipeline(portal, "Second")
    deal = crm.add_item(portal, "deal", {})
    crm.move_deal(portal, deal, "C1:NEW")
    crm.delete_item(portal, "deal", deal)
    crm.add_item(portal, "lead", {})
    portal.put("activity", {"OWNER_ID": 1})
    portal.remove("task", portal.put("task", {"TITLE": "T"}))
    seed.add_user(portal, "Ivan", "I")
    portal.put("call", {"CALL_ID": "externalCall.1", "CALL_DURATION": 12})
    seed.add_currency(portal, "USD")
    portal.put("group", {"NAME": "G"})
    assert sorted(received(admin, box)) == sorted(names)
    forms: dict[str, dict[str, Any]] = {form["event"]: form["data"] for form in box.forms}
    assert forms["ONCRMDEALMOVETOCATEGORY"]["FIELDS"] == {"ID": "1", "CATEGORY_ID": "1", "STAGE_ID": "C1:NEW"}
    assert forms["ONTASKADD"] == {
        "FIELDS_BEFORE": "undefined", "FIELDS_AFTER": {"ID": "1"}, "IS_ACCESSIBLE_BEFORE": "N",
        "IS_ACCESSIBLE_AFTER": "undefined",
    }  # fmt: skip
    assert forms["ONTASKDELETE"]["FIELDS_AFTER"] == "undefined"
    assert forms["ONVOXIMPLANTCALLEND"]["CALL_DURATION"] == "12"
    assert forms["ONCRMCURRENCYADD"]["FIELDS"] == {"ID": "USD"}


def test_one_hit_tells_the_same_event_once(portal: Portal, admin: Asker, box: Inbox) -> None:
    deal = crm.add_item(portal, "deal", {})
    bind(admin, box, "ONCRMDEALUPDATE")
    update = f"crm.item.update?entityTypeId=2&id={deal}&fields[title]="
    admin.batch({"a": update + "1", "b": update + "2"})
    assert received(admin, box) == ["ONCRMDEALUPDATE"]


def test_deliveries_can_be_delayed_lost_doubled_and_held(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    bind(admin, box, "ONCRMDEALADD")
    events = emulator.events(portal)
    events.delay_s = 100
    crm.add_item(portal, "deal", {})
    assert received(admin, box) == []
    emulator.clock.advance(101)
    assert received(admin, box) == ["ONCRMDEALADD"]
    events.delay_s, events.lose = 0, 1
    crm.add_item(portal, "deal", {})
    assert len(received(admin, box)) == 1
    assert len(events.lost) == 1
    events.lose, events.duplicate = 0, 1
    crm.add_item(portal, "deal", {})
    assert len(received(admin, box)) == 3
    assert box.forms[1]["data"] == box.forms[2]["data"]
    events.duplicate, events.hold, events.reorder = 0, True, True
    for _ in range(8):
        crm.add_item(portal, "deal", {})
    assert len(received(admin, box)) == 3
    assert events.deliver_now() == 8
    order = [form["data"]["FIELDS"]["ID"] for form in box.forms[3:]]
    assert sorted(order, key=int) == [str(number) for number in range(4, 12)]
    assert order != sorted(order, key=int)


def test_a_failing_handler_is_not_tried_again(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    admin.result("event.bind", event="ONCRMDEALADD", handler="http://127.0.0.1:9/")
    crm.add_item(portal, "deal", {})
    events = emulator.events(portal)
    events.settle()
    assert [one.status for one in events.sent] == [None]
    assert events.waiting() == 0


def test_nothing_is_sent_before_installation_or_without_payment(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    bind(admin, box, "ONCRMDEALADD")
    app = emulator.app(portal)
    for name, value in (("is_installed", False), ("is_unpaid", True)):
        before = getattr(app, name)
        setattr(app, name, value)
        crm.add_item(portal, "deal", {})
        setattr(app, name, before)
    assert received(admin, box) == []


def offline(admin: Asker, **fields: Any) -> list[str]:
    return [
        row["EVENT_DATA"]["FIELDS"]["ID"] for row in admin.result("event.offline.get", **fields)["events"]
    ]


def test_the_offline_queue_merges_changes_and_empties_on_reading(portal: Portal, admin: Asker) -> None:
    admin.result("event.bind", event="ONCRMDEALUPDATE", event_type="offline")
    for _ in range(3):
        crm.add_item(portal, "deal", {})
    with acting(1):
        crm.move_deal(portal, 1, "EXECUTING")
    crm.move_deal(portal, 2, "EXECUTING")
    with acting(1):
        crm.move_deal(portal, 1, "WON")
    listed = admin.answer("event.offline.list")
    assert listed["total"] == 2
    other, row = listed["result"]  # the merged row has the newest moment
    assert other["EVENT_ADDITIONAL"] is False
    assert row["EVENT_NAME"] == "ONCRMDEALUPDATE"
    assert row["EVENT_DATA"] == {"FIELDS": {"ID": "1"}}
    assert row["EVENT_ADDITIONAL"] == {"user_id": "1"}
    assert (row["PROCESS_ID"], row["ERROR"]) == ("", "0")
    assert [one["ID"] for one in admin.result("event.offline.list", filter={">ID": row["ID"]})] == [
        other["ID"]
    ]
    answer = admin.result("event.offline.get", limit=1)
    assert answer["process_id"] is None
    assert set(answer["events"][0]) == {
        "ID", "TIMESTAMP_X", "EVENT_NAME", "EVENT_DATA", "EVENT_ADDITIONAL", "MESSAGE_ID",
    }  # fmt: skip
    assert answer["events"][0]["ID"] == other["ID"]
    assert offline(admin) == ["1"]
    assert offline(admin) == []


def test_reading_up_to_an_id_leaves_the_rest(portal: Portal, admin: Asker) -> None:
    admin.result("event.bind", event="ONCRMDEALUPDATE", event_type="offline")
    for deal in (1, 2, 3):
        crm.add_item(portal, "deal", {})
        crm.move_deal(portal, deal, "WON")
    assert offline(admin, filter={"<=ID": 2}) == ["1", "2"]
    assert offline(admin, order={"ID": "DESC"}) == ["3"]


def test_reserving_needs_the_feature_and_lasts_until_cleared(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    admin.result("event.bind", event="ONCRMDEALUPDATE", event_type="offline")
    crm.add_item(portal, "deal", {})
    crm.move_deal(portal, 1, "EXECUTING")
    assert admin.refusal("event.offline.get", clear=0) == (403, "WRONG_LICENSE")
    emulator.site(portal).quirks.features = frozenset({"rest_offline_extended"})
    first = admin.result("event.offline.get", clear=0)
    assert offline(admin, clear=0) == []  # parallel readers get disjoint sets
    crm.move_deal(portal, 1, "WON")  # a change during a reservation makes a second row
    assert admin.answer("event.offline.list")["total"] == 2
    message = first["events"][0]["MESSAGE_ID"]
    process = first["process_id"]
    assert admin.result("event.offline.error", process_id=process, message_id=[message]) is True
    assert [row["ERROR"] for row in admin.result("event.offline.list")] == ["1", "0"]
    assert admin.result("event.offline.clear", process_id=process, message_id=[message]) is True
    assert offline(admin) == ["1"]


def test_old_rows_of_the_offline_queue_die(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    admin.result("event.bind", event="ONCRMDEALADD", event_type="offline")
    crm.add_item(portal, "deal", {})
    emulator.clock.advance(35 * 24 * 3600)
    admin = asker(emulator, portal)
    assert offline(admin) == []


def test_own_writes_may_or_may_not_come_back(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    admin.result("event.bind", event="ONCRMDEALADD", event_type="offline")
    admin.result("crm.item.add", entityTypeId=2, fields={})
    assert offline(admin) == ["1"]
    emulator.site(portal).quirks.own_writes_are_queued = False
    admin.result("crm.item.add", entityTypeId=2, fields={})
    assert offline(admin) == []


def test_an_auth_connector_has_its_own_queue_without_its_own_echo(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.site(portal).quirks.features = frozenset({"rest_auth_connector"})
    admin.result("event.bind", event="ONCRMDEALADD", event_type="offline", auth_connector="sync")
    admin.result("crm.item.add", entityTypeId=2, fields={}, auth_connector="sync")
    admin.result("crm.item.add", entityTypeId=2, fields={})
    assert offline(admin) == []
    assert offline(admin, auth_connector="sync") == ["2"]


def test_a_notice_says_that_the_queue_is_not_empty(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    admin.result("event.bind", event="ONCRMDEALADD", event_type="offline")
    bind(admin, box, "ONOFFLINEEVENT")
    crm.add_item(portal, "deal", {})
    crm.add_item(portal, "deal", {})
    assert received(admin, box) == ["ONOFFLINEEVENT"]  # at most one a second
    assert box.forms[0]["auth"]["refresh_token"]


def test_only_admins_read_the_offline_queue(emulator: Emulator, portal: Portal) -> None:
    ivan = asker(emulator, portal, seed.add_user(portal, "Ivan", "I", departments=[1]))
    for name in ("get", "list", "clear", "error"):
        assert ivan.refusal(f"event.offline.{name}", process_id="x") == (403, "ACCESS_DENIED")


def test_the_life_of_an_app(emulator: Emulator, portal: Portal, admin: Asker, box: Inbox) -> None:
    bind(admin, box, "ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPPAYMENT", "ONAPPTEST")
    emulator.install(portal)
    assert admin.result("event.test", one="1") == 1
    emulator.set_payment(portal, is_unpaid=True, days=-20)
    emulator.set_payment(portal, is_unpaid=False)
    old_token = emulator.app(portal).application_token
    emulator.update_app(portal, version=2, new_application_token=True)
    received(admin, box)
    forms = {form["event"]: form for form in box.forms}
    install = forms["ONAPPINSTALL"]
    assert install["data"] == {"VERSION": "1", "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
    assert install["auth"]["refresh_token"]
    assert install["auth"]["application_token"] == old_token
    assert forms["ONAPPTEST"]["data"] == {"QUERY": {"one": "1"}}
    assert [f["data"]["PAYMENT_EXPIRED"] for f in box.forms if f["event"] == "ONAPPPAYMENT"] == ["Y", "N"]
    assert forms["ONAPPUPDATE"]["data"]["PREVIOUS_VERSION"] == "1"
    assert forms["ONAPPUPDATE"]["auth"]["application_token"] != old_token
    assert admin.result("event.get") == []  # an update drops the handlers
    bind(admin, box, "ONAPPUNINSTALL")
    box.forms.clear()
    emulator.uninstall(portal, clean=1)
    assert received(admin, box) == ["ONAPPUNINSTALL"]
    gone = box.forms[0]
    assert gone["data"] == {"LANGUAGE_ID": "ru", "CLEAN": "1"}
    assert not {"access_token", "refresh_token", "user_id"} & set(gone["auth"])
    assert gone["auth"]["application_token"] == emulator.app(portal).application_token


def test_an_installation_without_a_frame_calls_back(emulator: Emulator, box: Inbox) -> None:
    portal = emulator.add_portal()
    emulator.app(portal).callback_url = box.url
    emulator.install(portal)
    emulator.events(portal).settle()
    assert [form["event"] for form in box.forms] == ["ONAPPINSTALL"]


def test_a_silent_uninstallation_only_shows_in_refusals(
    emulator: Emulator, portal: Portal, admin: Asker, box: Inbox
) -> None:
    bind(admin, box, "ONAPPUNINSTALL")
    emulator.uninstall(portal, is_silent=True)
    assert received(admin, box) == []
    assert admin.refusal("profile") == (401, "APPLICATION_NOT_FOUND")
