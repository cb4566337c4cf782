"""Installation through the portal's frame, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import select

from b24app.manifest import load
from b24app.tables import tokens
from emulator.seed import add_user
from tests.http.live import Live, boot, eventually, living, token

PLACES = sorted(place.code for place in load().places)
EVENTS = sorted(
    [*load().online_events, *(name for names in load().offline_events.values() for name in names)]
)


@pytest.fixture
def live(database_url: str, tmp_path: Path) -> Iterator[Live]:
    with living(database_url, tmp_path) as running:
        yield running


def test_an_admins_frame_stores_the_portal_and_registers_everything_at_once(live: Live) -> None:
    portal = live.emulator.add_portal(lang="en")
    page = live.install(portal)
    assert page.status_code == 200
    assert live.bound(portal) == (PLACES, EVENTS)
    row = live.row(portal)
    assert row is not None
    assert (row.domain, row.state, row.reader_id, row.reader_is_admin) == (portal.domain, "active", 1, True)
    told = boot(page)
    assert (told["view"], told["is_installed"]) == ("install", False)
    first = told["first"]["/api/v1/install"]
    assert (first["state"], first["can_finish"], first["progress"]) == ("done", True, 1.0)
    assert all(scope["granted"] for scope in first["scopes"])


def test_titles_of_the_widgets_come_in_both_languages(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    place = next(p for p in live.emulator.app(portal).placements if p.code == "LEFT_MENU")
    assert place.lang_all["ru"]["TITLE"] == "KPI отдела"
    assert place.lang_all["en"]["TITLE"] == "Team KPIs"


def test_secrets_are_encrypted_at_rest(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    with live.parts.engine.connect() as conn:
        stored = conn.execute(select(tokens)).one()
    row = live.row(portal)
    assert row is not None
    app = live.emulator.app(portal)
    assert app.application_token not in row.application_token
    assert live.parts.vault.open(row.application_token) == app.application_token
    access = live.parts.vault.open(stored.access)
    assert live.emulator.auth.token(access) is not None
    assert access not in stored.access


def test_installing_any_number_of_times_is_the_same(live: Live) -> None:
    portal = live.emulator.add_portal()
    pages = [live.install(portal) for _ in range(3)]
    live.emulator.install(portal)
    pages.append(live.install(portal))
    assert [page.status_code for page in pages] == [200] * 4
    assert live.bound(portal) == (PLACES, EVENTS)
    assert boot(pages[-1])["is_installed"] is True


def test_two_installations_at_once_end_in_one(live: Live) -> None:
    portal = live.emulator.add_portal()
    pages: list[requests.Response] = []
    threads = [threading.Thread(target=lambda: pages.append(live.install(portal))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [page.status_code for page in pages] == [200] * 4
    assert eventually(lambda: live.bound(portal) == (PLACES, EVENTS))
    row = live.row(portal)
    assert row is not None
    assert eventually(lambda: (live.row(portal) or row).install_report["state"] == "done")
    report = (live.row(portal) or row).install_report
    assert all(line["ok"] for line in [*report["placements"], *report["events"]])


def test_two_portals_do_not_meet(live: Live) -> None:
    one, two = live.emulator.add_portal(), live.emulator.add_portal()
    first, second = live.install(one), live.install(two)
    assert boot(first)["portal"]["member_id"] == one.member_id
    assert boot(second)["portal"]["member_id"] == two.member_id
    rows = [live.row(portal) for portal in (one, two)]
    assert len({row.portal_id for row in rows if row}) == 2
    assert f"http://{two.domain}" not in first.headers["Content-Security-Policy"]


def test_somebody_who_is_no_admin_reads_whom_to_ask(live: Live) -> None:
    portal = live.emulator.add_portal(lang="en")
    user = add_user(portal, "Ivan", "Ivanov")
    page = live.install(portal, user)
    assert page.status_code == 403
    assert "administrator" in page.text
    assert "b24app-session" not in page.text
    assert live.row(portal) is None
    assert live.bound(portal) == ([], [])


def test_missing_scopes_are_named_with_what_stops_working(live: Live) -> None:
    granted = {"placement", "user_brief", "task", "telephony", "imopenlines", "sonet_group", "im"}
    portal = live.emulator.add_portal(lang="en", scopes=granted)
    first = boot(live.install(portal))["first"]["/api/v1/install"]
    missing = {scope["key"]: scope["lost"] for scope in first["scopes"] if not scope["granted"]}
    assert set(missing) == {"crm", "department", "calendar"}
    assert "sales" in missing["crm"]
    assert "holidays" in missing["calendar"]
    assert first["can_finish"] is True
    errors = {line["code"]: line["error"] for line in first["placements"]}
    assert errors["CRM_DEAL_DETAIL_TAB"] == "insufficient_scope"
    assert errors["LEFT_MENU"] is None


def test_a_portal_that_sends_no_application_token_is_installed_too(live: Live) -> None:
    portal = live.emulator.add_portal(is_box=True)
    page = live.install(portal)
    assert page.status_code == 200
    row = live.row(portal)
    assert row is not None
    assert row.application_token is None
    live.emulator.install(portal)  # ONAPPINSTALL brings the secret
    assert eventually(lambda: (live.row(portal) or row).application_token is not None)


def test_the_page_may_be_framed_by_the_proven_portal_only(live: Live) -> None:
    portal = live.emulator.add_portal()
    policy = live.install(portal).headers["Content-Security-Policy"]
    ancestors = next(part.strip() for part in policy.split(";") if part.strip().startswith("frame-ancestors"))
    assert ancestors == f"frame-ancestors 'self' http://{portal.domain}"
    assert "X-Frame-Options" not in live.install(portal).headers


def test_registration_may_be_repeated_from_the_page(live: Live) -> None:
    portal = live.emulator.add_portal(scopes={"placement", "crm"})
    page = live.install(portal)
    live.emulator.app(portal).scopes.update(scope.any_of[0] for scope in load().scopes)
    live.install(portal)
    answer = requests.post(
        f"{live.url}/api/v1/install", headers={"Authorization": f"Bearer {token(page)}"}, timeout=20
    )
    assert answer.status_code == 202
    assert eventually(lambda: live.bound(portal)[0] == PLACES)


def test_progress_is_for_admins(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    live.emulator.install(portal)
    user = add_user(portal, "Ivan", "Ivanov", departments=[1])
    headers = {"Authorization": f"Bearer {token(live.open(portal, user))}"}
    assert requests.get(f"{live.url}/api/v1/install", headers=headers, timeout=20).status_code == 403
    assert requests.get(f"{live.url}/api/v1/install", timeout=20).status_code == 401


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["503", "html500", "502", "garbage", "half_body", "close", "empty"])
def test_a_portal_that_stumbles_is_registered_all_the_same(live: Live, kind: str) -> None:
    portal = live.emulator.add_portal()
    live.emulator.faults(portal).add(kind, method="batch", times=1)
    assert live.install(portal).status_code == 200
    assert eventually(lambda: live.bound(portal) == (PLACES, EVENTS), 20)


def test_a_lost_answer_to_a_binding_is_no_double_binding(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.faults(portal).add("lost_answer", method="batch", times=1, skip=1)
    live.install(portal)
    assert eventually(lambda: live.bound(portal) == (PLACES, EVENTS), 20)
    row = live.row(portal)
    assert row is not None
    assert eventually(lambda: (live.row(portal) or row).install_report["state"] == "done")


def test_a_registration_that_failed_is_repeated_when_an_admin_comes_back(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.emulator.faults(portal).add("403", method="batch", times=None)
    first = boot(live.install(portal))["first"]["/api/v1/install"]
    assert (first["state"], first["can_finish"]) == ("failed", False)
    assert first["notes"]
    live.emulator.faults(portal).clear()
    assert live.open(portal, 1).status_code == 200
    assert eventually(lambda: live.bound(portal) == (PLACES, EVENTS))


def test_a_portal_without_offline_events_is_installed_and_says_so(live: Live) -> None:
    portal = live.emulator.add_portal(lang="en")
    live.emulator.faults(portal).add("license", method="event.bind", times=None)
    first = boot(live.install(portal))["first"]["/api/v1/install"]
    assert first["can_finish"] is True
    assert len(first["notes"]) == 2
    assert live.bound(portal)[0] == PLACES


@pytest.mark.one_database
@pytest.mark.parametrize("kind", ["html500", "garbage", "close", "half_body"])
def test_an_authorization_server_that_fails_is_told_and_nothing_is_stored(live: Live, kind: str) -> None:
    portal = live.emulator.add_portal(lang="en")
    live.emulator.auth.faults.add(kind, method="app.info")
    page = live.install(portal)
    assert page.status_code == 503
    assert "reload" in page.text.lower()
    assert "Traceback" not in page.text
    assert live.row(portal) is None
    assert live.install(portal).status_code == 200


def test_a_reinstallation_brings_a_new_secret(live: Live) -> None:
    portal = live.emulator.add_portal()
    live.install(portal)
    live.emulator.app(portal).application_token = "f" * 32
    assert live.open(portal, 1).status_code == 403
    assert live.install(portal).status_code == 200
    assert live.open(portal, 1).status_code == 200


def test_the_address_without_a_frame_shows_a_page_without_tokens(live: Live) -> None:
    for path in ("/", "/install"):
        assert requests.head(live.url + path, timeout=20).status_code == 200
        page = requests.get(live.url + path, timeout=20)
        assert page.status_code == 200
        assert "b24app-session" not in page.text
