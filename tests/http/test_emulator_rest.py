"""The REST engine of the emulated portal: request forms, envelope, errors, batch, scopes, moved portals."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator import crm, seed
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.emulated import Asker, asker


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def portal(emulator: Emulator) -> Portal:
    return emulator.add_portal(timezone="Asia/Yekaterinburg")


@pytest.fixture
def admin(emulator: Emulator, portal: Portal) -> Asker:
    return asker(emulator, portal)


def test_a_success_carries_the_time_object_of_the_portals_zone(admin: Asker) -> None:
    body = admin.answer("profile")
    assert set(body) == {"result", "time"}
    assert body["result"] == {
        "ID": "1", "ADMIN": True, "NAME": "Anna", "LAST_NAME": "Admin", "PERSONAL_GENDER": "",
        "TIME_ZONE": "",
    }  # fmt: skip
    time = body["time"]
    assert time["date_start"].endswith("+05:00")
    assert isinstance(time["operating_reset_at"], int)
    assert time["finish"] >= time["start"]
    assert isinstance(time["operating"], float)


def test_every_form_of_request_is_understood(admin: Asker) -> None:
    url, token = admin.url("method.get"), admin.token
    asked = {"name": "profile"}
    answers = [
        requests.get(url, params={**asked, "auth": token}, timeout=10),
        requests.post(url, data={**asked, "auth": token}, timeout=10),
        requests.post(url, files={"name": (None, "profile"), "auth": (None, token)}, timeout=10),
        requests.post(url + ".json", json={**asked, "access_token": token}, timeout=10),
        requests.post(url, json=asked, headers={"Authorization": f"Bearer {token}"}, timeout=10),
        requests.post(url.replace("method.get", "Method.GET"), json={**asked, "auth": token}, timeout=10),
        requests.post(url + "?name=nonsense", json={**asked, "auth": token}, timeout=10),  # the body wins
        requests.post(url + "?auth=nonsense", json={**asked, "auth": token}, timeout=10),
    ]
    for answer in answers:
        assert answer.json()["result"] == {"isExisting": True, "isAvailable": True}


def test_xml_is_an_answer_form_too(admin: Asker) -> None:
    response = requests.get(admin.url("profile.xml"), params={"auth": admin.token}, timeout=10)
    assert response.headers["Content-Type"].startswith("text/xml")
    assert "<response><result><ID>1</ID>" in response.text


def test_browsers_may_ask_from_other_origins(admin: Asker) -> None:
    preflight = requests.options(admin.url("profile"), timeout=10)
    assert preflight.status_code == 200
    for response in (preflight, admin.post("profile"), admin.post("nonsense")):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Allow-Headers"] == "origin, content-type, accept"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_tokens_are_refused_by_code(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    assert requests.post(admin.url("profile"), json={}, timeout=10).status_code == 401
    assert Asker(emulator, portal, "nonsense").refusal("profile") == (401, "NO_AUTH_FOUND")
    emulator.expire_tokens(portal)
    assert admin.refusal("profile") == (401, "expired_token")
    assert admin.refusal("batch", cmd={"a": "profile"}) == (401, "expired_token")
    emulator.revoke_tokens(portal)
    assert admin.refusal("profile") == (401, "invalid_token")


def test_the_state_of_app_and_user_closes_rest(emulator: Emulator, portal: Portal) -> None:
    user = seed.add_user(portal, "Ivan", "I", departments=[1])
    ivan = asker(emulator, portal, user)
    app = emulator.app(portal)
    app.is_unpaid = True
    assert ivan.refusal("profile") == (401, "PAYMENT_REQUIRED")
    app.is_unpaid = False
    app.allowed_users = {1}
    assert ivan.refusal("profile") == (403, "user_access_error")
    app.allowed_users = None
    portal.change("user", user, ACTIVE=False)
    assert ivan.refusal("profile") == (401, "authorization_error")
    portal.change("user", user, ACTIVE=True)
    assert ivan.result("profile")["ADMIN"] is False
    emulator.uninstall(portal)
    assert ivan.refusal("profile") == (401, "APPLICATION_NOT_FOUND")


def test_unknown_and_missing_methods(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    assert admin.refusal("no.such.method") == (404, "ERROR_METHOD_NOT_FOUND")
    emulator.site(portal).missing_methods.add("crm.stagehistory.list")
    assert admin.refusal("crm.stagehistory.list", entityTypeId=2) == (404, "ERROR_METHOD_NOT_FOUND")
    assert admin.result("method.get", name="crm.stagehistory.list") == {
        "isExisting": False, "isAvailable": False,
    }  # fmt: skip
    response = requests.post(admin.url("api/tasks.task.list"), json={}, timeout=10)
    assert response.json()["error"]["code"].startswith("BITRIX_REST_V3_EXCEPTION_")


def test_scopes_are_the_apps_and_either_status_occurs(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.app(portal).scopes = {"user_brief"}
    assert admin.refusal("crm.item.list", entityTypeId=2) == (403, "insufficient_scope")
    emulator.site(portal).quirks.access_errors_status = 401
    assert admin.refusal("crm.item.list", entityTypeId=2) == (401, "insufficient_scope")
    assert admin.result("scope") == ["user_brief"]
    assert admin.result("method.get", name="crm.item.list") == {"isExisting": True, "isAvailable": False}
    assert "crm.item.list" not in admin.result("methods")
    refused = admin.batch({"a": "crm.item.list?entityTypeId=2"})["result_error"]["a"]
    assert refused == {"error": "insufficient_scope", "error_description": ""}


def test_webhooks_work_but_not_for_methods_of_apps(emulator: Emulator, portal: Portal) -> None:
    url = emulator.add_webhook(portal, 1, {"crm"})
    assert requests.get(url + "profile", timeout=10).json()["result"]["ID"] == "1"
    refused = requests.get(url + "event.get", timeout=10)
    assert (refused.status_code, refused.json()["error"]) == (403, "WRONG_AUTH_TYPE")
    stranger = requests.get(f"http://{portal.domain}/rest/1/nonsense/profile", timeout=10)
    assert (stranger.status_code, stranger.json()["error"]) == (403, "INVALID_CREDENTIALS")
    emulator.site(portal).quirks.webhooks_need_https = True
    assert requests.get(url + "profile", timeout=10).json()["error"] == "INVALID_REQUEST"


def test_an_old_domain_answers_302_to_the_new_one(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    old = portal.domain
    new = emulator.rename(portal)
    response = requests.post(f"http://{old}/rest/profile?x=1", json={}, allow_redirects=False, timeout=10)
    assert response.status_code == 302
    assert response.headers["Location"] == f"http://{new}/rest/profile?x=1"
    assert admin.result("profile")["ID"] == "1"


def test_a_deleted_portal_says_so_in_its_ways(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    site = emulator.site(portal)
    site.is_deleted = True
    for status in (500, 410, 403):
        site.quirks.deleted_status = status
        assert admin.refusal("profile") == (status, "PORTAL_DELETED")
    site.quirks.deleted_is_html = True
    assert admin.post("profile").headers["Content-Type"].startswith("text/html")


def test_a_machine_that_goes_away_refuses_connections(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    emulator.close_portal(portal)
    with pytest.raises(requests.ConnectionError):
        admin.post("profile")
    emulator.open_portal(portal)
    assert admin.result("profile")["ID"] == "1"


def test_batch_maps_are_objects_or_empty_lists(admin: Asker) -> None:
    body = admin.batch({"me": "profile", "bad": "no.such.method", "users": "user.get?sort=ID"})
    assert list(body["result"]) == ["me", "users"]
    assert body["result_error"] == {
        "bad": {"error": "ERROR_METHOD_NOT_FOUND", "error_description": "Method not found!"}
    }
    assert body["result_total"] == {"users": 1}
    assert body["result_next"] == []
    assert set(body["result_time"]) == {"me", "users"}
    assert admin.batch({"me": "profile"})["result_error"] == []


def test_a_list_of_commands_stays_a_list_until_one_fails(admin: Asker) -> None:
    assert isinstance(admin.batch(["profile", "server.time"])["result"], list)
    broken = admin.batch(["profile", "no.such.method", "server.time"])
    assert list(broken["result"]) == ["0", "2"]
    assert list(broken["result_error"]) == ["1"]


def test_halt_stops_after_the_first_error_and_the_word_false_halts(admin: Asker) -> None:
    commands = {"a": "profile", "b": "no.such.method", "c": "profile"}
    assert list(admin.batch(commands, halt=0)["result"]) == ["a", "c"]
    assert list(admin.batch(commands, halt=1)["result"]) == ["a"]
    assert list(admin.batch(commands, halt="false")["result"]) == ["a"]
    assert list(admin.batch(commands, halt="0")["result"]) == ["a", "c"]


def test_batch_refuses_the_51st_command_and_batches_inside(admin: Asker) -> None:
    body = admin.batch({f"c{n}": "server.time" for n in range(52)} | {"x": "batch"})
    assert len(body["result"]) == 50
    assert body["result_error"]["c50"]["error"] == "ERROR_BATCH_LENGTH_EXCEEDED"
    inner = admin.batch({"x": "batch?cmd[a]=profile"})["result_error"]["x"]
    assert inner["error"] == "ERROR_BATCH_METHOD_NOT_ALLOWED"


def test_references_chain_pages_and_a_failed_one_is_nonsense(portal: Portal, admin: Asker) -> None:
    for number in range(70):
        crm.add_item(portal, "deal", {"title": f"Deal {number}"})

    def page(after: str) -> tuple[str, dict[str, object]]:
        query = {"entityTypeId": 2, "select": ["id"], "order": {"id": "ASC"}, "start": -1}
        return "crm.item.list", {**query, "filter": {">id": after}}

    body = admin.batch(
        {
            "a": page("0"),
            "b": page("$result[a][items][49][id]"),
            "c": page("$result[b][items][49][id]"),  # b has 20 rows: the whole list comes instead of an id
            "d": page("$result[nowhere][items][49][id]"),
            "e": page("after $result[a][items][49][id]"),
        }
    )
    ids = {name: [row["id"] for row in one["items"]] for name, one in body["result"].items()}
    assert ids["a"] + ids["b"] == list(range(1, 71))
    assert ids["c"] == list(range(2, 52))  # (int) of an array is 1
    assert ids["d"] == list(range(2, 52))
    assert ids["e"] == list(range(1, 51))  # the text stays a text, (int) of it is 0
    assert "a" not in body["result_total"]


def test_form_encoded_batches_work_too(admin: Asker) -> None:
    data = {"auth": admin.token, "cmd[a]": "method.get?name=profile", "cmd[b]": "server.time", "halt": "0"}
    body = requests.post(admin.url("batch"), data=data, timeout=10).json()
    assert body["result"]["result"]["a"]["isExisting"] is True
    assert set(body["result"]["result"]) == {"a", "b"}


def test_reserved_and_browser_parameters_never_reach_a_method(
    emulator: Emulator, portal: Portal, admin: Asker
) -> None:
    admin.result("event.test", bx24_request_id="1", bx24_sdk_ver="2", sessid="3", any="4")
    assert emulator.calls(portal)[-1] == ("event.test", {"any": "4"})


def test_app_info_of_the_portal(emulator: Emulator, portal: Portal, admin: Asker) -> None:
    info = admin.result("app.info")
    assert info["CODE"] == "local.demo"
    assert info["INSTALLED"] is False
    assert (info["PAYMENT_EXPIRED"], info["DAYS"], info["VERSION"], info["STATUS"]) == ("N", None, 1, "L")
    emulator.install(portal)
    emulator.set_payment(portal, is_unpaid=False, days=-3)
    assert admin.result("app.info")["INSTALLED"] is True
    assert admin.result("app.info")["PAYMENT_EXPIRED"] == "Y"


def test_a_box_has_no_operating_time_and_its_own_licence(emulator: Emulator) -> None:
    box = asker(emulator, emulator.add_portal(is_box=True))
    assert "operating" not in box.answer("profile")["time"]
    assert box.result("feature.get", CODE="rest_offline_extended") == {"value": "ru_selfhosted"}
    assert "LICENSE_TYPE" not in box.result("app.info")
