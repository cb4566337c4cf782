"""The portal's pages: each answers, shows what the visitor may see, and never leads away from the portal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator import opportunities
from emulator.company import cast
from emulator.company.tickets import HELP_DESK
from emulator.server import Emulator
from emulator.world import DYNAMIC
from tests.http.demo_portals import DATA, Reader, invented_company

PAGES = (
    "/", "/stream/", "/tasks/", "/company/", "/company/personal/user/6/", "/crm/deal/kanban/category/0/",
    "/crm/deal/list/", "/crm/deal/list/category/0/?page=3", "/crm/deal/details/100/", "/crm/analytics/",
    "/crm/company/details/3/", "/crm/lead/list/", "/telephony/", "/marketplace/app/local.demo/",
    "/_static/host.js",
)  # fmt: skip


@pytest.fixture(scope="module")
def admin() -> Iterator[Reader]:
    with invented_company() as reader:
        yield reader


@pytest.fixture(scope="module")
def english() -> Iterator[Reader]:
    with Emulator() as emulator:
        portal = emulator.add_portal(title=opportunities.TITLE, lang="en", is_empty=True)
        opportunities.load(portal, DATA)
        emulator.install(portal, 1)
        yield Reader(emulator, portal)


def get(reader: Reader, path: str, user_id: int | None = 1) -> requests.Response:
    cookies = {} if user_id is None else {"emulator_user": str(user_id)}
    url = f"http://{reader.portal.domain}{path}"
    return requests.get(url, cookies=cookies, allow_redirects=False, timeout=20)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_in_russian(admin: Reader, path: str) -> None:
    assert get(admin, path).status_code == 200


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_in_english_without_a_russian_word(english: Reader, path: str) -> None:
    answer = get(english, path)
    assert answer.status_code == 200
    assert not any("а" <= letter <= "я" for letter in answer.text.lower())


def test_a_stranger_is_asked_who_is_looking_and_brought_back(admin: Reader) -> None:
    asked = get(admin, "/crm/deal/list/?page=2", None)
    assert asked.status_code == 302
    chooser = get(admin, asked.headers["Location"], None)
    assert '"/crm/deal/list/?page=2&amp;emulator_user=6"' in chooser.text
    entered = get(admin, "/crm/deal/list/?page=2&emulator_user=6", None)
    assert "emulator_user=6;" in entered.headers["Set-Cookie"]


def test_the_choice_never_leads_to_another_site(admin: Reader) -> None:
    for address in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert "evil.example" not in get(admin, f"/login/?backurl={address}", None).text
        assert "javascript:" not in get(admin, f"/login/?backurl={address}", None).text


def test_the_dismissed_and_the_bot_cannot_be_chosen(admin: Reader) -> None:
    chooser = get(admin, "/login/", None).text
    assert "emulator_user=6" in chooser
    for user_id in (13, 19, 36, cast.BOT_ID):
        assert f"emulator_user={user_id}&" not in chooser
        assert f'emulator_user={user_id}"' not in chooser
    assert get(admin, "/stream/", 13).status_code == 302


def test_a_seller_opens_only_own_deals(admin: Reader) -> None:
    deals = admin.portal.records["deal"]
    own = next(deal["id"] for deal in deals if deal["assignedById"] == 6)
    foreign = next(deal["id"] for deal in deals if deal["assignedById"] == 10)
    assert get(admin, f"/crm/deal/details/{own}/", 6).status_code == 200
    assert get(admin, f"/crm/deal/details/{foreign}/", 6).status_code == 404
    assert get(admin, f"/crm/deal/details/{foreign}/", 5).status_code == 200  # the head of that seller
    assert get(admin, f"/crm/deal/details/{10**6}/").status_code == 404


def test_cards_of_work_are_open_to_those_who_have_to_do_with_it(admin: Reader) -> None:
    task = next(row for row in admin.portal.records["task"] if row["GROUP_ID"])
    owner = task["RESPONSIBLE_ID"]
    address = f"/company/personal/user/{owner}/tasks/task/view/{task['ID']}/"
    card = get(admin, address, owner)
    assert card.status_code == 200
    assert f"/workgroups/group/{task['GROUP_ID']}/" in card.text
    assert get(admin, address, 6).status_code == 404
    group = next(row for row in admin.portal.records["group"] if not row.get("OPENED"))
    assert get(admin, f"/workgroups/group/{group['ID']}/").status_code == 200
    stranger = next(n for n in (6, 7, 9) if n not in (group["OWNER_ID"], *(group.get("MEMBERS") or ())))
    assert get(admin, f"/workgroups/group/{group['ID']}/", stranger).status_code == 404


def test_an_item_of_a_smart_process_has_a_card(admin: Reader) -> None:
    item = next(iter(admin.portal.records[f"{DYNAMIC}{HELP_DESK}"]))
    assert item["title"] in get(admin, f"/crm/type/{HELP_DESK}/details/{item['id']}/").text
    assert get(admin, f"/crm/type/{HELP_DESK}/details/{item['id']}/", 6).status_code == 404
    assert get(admin, f"/crm/type/999/details/{item['id']}/").status_code == 404


def test_names_of_clients_are_escaped(admin: Reader) -> None:
    deal = admin.portal.records["deal"].get(7)
    assert deal is not None
    admin.portal.change("deal", 7, title='<script>alert("x")</script>')
    page = get(admin, "/crm/deal/details/7/").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    admin.portal.change("deal", 7, title=deal["title"])


def test_only_an_admin_finishes_an_installation_and_nobody_asks_by_get(admin: Reader) -> None:
    app = admin.emulator.app(admin.portal)
    app.is_installed = False
    url = f"http://{admin.portal.domain}/_host/installed"
    body = {"app": app.client_id}
    assert requests.get(url, cookies={"emulator_user": "1"}, timeout=10).status_code == 404
    assert requests.post(url, json=body, timeout=10).status_code == 404  # nobody is looking
    refused = requests.post(url, json=body, cookies={"emulator_user": "6"}, timeout=10)
    assert refused.json() == {"installed": False}
    finished = requests.post(url, json=body, cookies={"emulator_user": "1"}, timeout=10)
    assert finished.json() == {"installed": True}


def test_an_app_that_is_gone_unpaid_or_not_allowed_shows_why(admin: Reader) -> None:
    app = admin.emulator.app(admin.portal)
    path = f"/marketplace/app/{app.client_id}/"
    app.is_unpaid = True
    assert "Срок действия приложения истёк" in get(admin, path).text
    app.is_unpaid, app.allowed_users = False, {2}
    assert get(admin, path, 6).status_code == 403
    app.allowed_users, app.is_present = None, False
    assert get(admin, path).status_code == 404
    app.is_present = True
