"""A small company with all the dirt on an emulated portal, installed into a real app and read by it."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import requests
from werkzeug.serving import BaseWSGIServer, make_server

from b24app import bootstrap, create_app, tables
from b24app.bootstrap import Parts
from b24app.config import Settings
from b24app.sync import cursor, first_read, refresh
from b24app.sync.state import CHANGES
from emulator import activities, crm, seed, tasks
from emulator.server import Emulator
from emulator.world import Portal
from tests.http.live import Live, token
from tests.http.unhurried import Unhurried
from tests.plain_kpis import Entered, Plain

ADMIN, HEAD, ANNA, BORIS, VERA, GONE, NADIA, GUEST, BOT = range(1, 10)
NOBODY = 999
STAFF = (ADMIN, HEAD, ANNA, BORIS, VERA, GONE, NADIA)
OWNERS = (*STAFF, ANNA, BORIS, VERA, HEAD, GUEST, BOT, NOBODY)
SALES, NORTH, HELP, ORPHAN, CIRCLE_A, CIRCLE_B = 2, 3, 4, 5, 6, 7
DAYS = 160
"""How far back the records go."""
PATIENCE_S = 90
"""More than the portal takes to be checked; machines may be busy."""


class Dirt:
    """Writes records into a portal by a seed; nothing lies within two hours of now, or in the future."""

    def __init__(self, portal: Portal, seed_: int) -> None:
        self.portal, self.pick = portal, random.Random(seed_)
        self.zone = ZoneInfo(portal.timezone)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.desk = self.desk_category = 0
        self.score = self.planned = self.actual = ""
        self._sessions = 500

    def fill(self) -> None:
        """Everything."""
        self.people()
        self.pipelines()
        for _ in range(40):
            self.lead()
        for _ in range(60):
            self.deal()
        for _ in range(30):
            self.ticket()
            self.chat()
            self.call()
            self.call()
            self.task()
            self.activity()
            self.activity()

    def people(self) -> None:
        """Departments without parents and in a circle; somebody gone, a guest, a bot, somebody in two."""
        made = self.portal
        made.change("user", ADMIN, TIME_ZONE=made.timezone)
        for number, parent, head in (
            (SALES, 1, HEAD), (NORTH, SALES, None), (HELP, 1, VERA), (ORPHAN, 77, None),
            (CIRCLE_A, CIRCLE_B, None), (CIRCLE_B, CIRCLE_A, None),
        ):  # fmt: skip
            seed.add_department(made, f"Department {number}", parent_id=parent, head_id=head)
        for number, departments, more in (
            (HEAD, [SALES], {}), (ANNA, [NORTH, SALES], {}), (BORIS, [NORTH], {}), (VERA, [HELP, NORTH], {}),
            (GONE, [SALES], {"is_active": False}), (NADIA, [CIRCLE_A, ORPHAN], {}),
            (GUEST, [], {"USER_TYPE": "extranet"}), (BOT, [SALES], {"USER_TYPE": "bot"}),
        ):  # fmt: skip
            seed.add_user(made, f"Person{number}", "Test", ID=number, departments=departments, **more)

    def pipelines(self) -> None:
        """A second pipeline, rates, a help desk with ratings and budgets, two projects."""
        made = self.portal
        seed.add_currency(made, "USD", amount="92.5")
        seed.add_currency(made, "KZT", amount="16.25", count=100)
        stages = (("NEW", "A", None, "#fff"), ("MIDDLE", "B", None, "#fff"), ("LAST", "C", None, "#fff"),
                  ("WON", "D", "S", "#fff"), ("LOSE", "E", "F", "#fff"))  # fmt: skip
        number = seed.add_pipeline(made, "Second", category_id=3, stages=stages)
        assert number == 3
        self.desk = seed.add_smart_process(made, "Tickets")
        kind = f"dynamic_{self.desk}"
        self.desk_category = next(
            row["id"] for row in made.records["item_category"] if row["entityTypeId"] == self.desk
        )
        self.score = seed.add_custom_field(made, kind, "Score", "enumeration", choices=("good", "bad"))
        self.planned = seed.add_custom_field(made, kind, "Plan", "double")
        self.actual = seed.add_custom_field(made, kind, "Fact", "double")
        for name in ("Site", "Shop"):
            made.put(
                "group", {"NAME": name, "OWNER_ID": ANNA, "OPENED": True, "CLOSED": False, "ACTIVE": True}
            )

    def moment(self) -> datetime:
        """Some moment of the past; often the first or last second of a local day."""
        day = (self.now - timedelta(days=self.pick.uniform(1, DAYS))).astimezone(self.zone).date()
        edge = self.pick.choice((time(0, 0, 0), time(23, 59, 59), None, None))
        if edge is not None:
            return min(self.ago(), datetime.combine(day, edge, self.zone).astimezone(UTC))
        return (self.now - timedelta(days=self.pick.uniform(0.1, DAYS))).replace(microsecond=0)

    def ago(self) -> datetime:
        return self.now - timedelta(hours=2)

    def later(self, moment: datetime, days: float) -> datetime:
        """Some time after it, now and then before it."""
        step = timedelta(seconds=self.pick.randrange(60, int(days * 86_400)))
        return min(self.ago(), moment - step / 10 if self.pick.random() < 0.08 else moment + step)

    def owner(self) -> int:
        return self.pick.choice(OWNERS)

    def client(self) -> dict[str, int]:
        return self.pick.choice(
            [{}, {"companyId": self.pick.randrange(1, 9)}, {"contactId": self.pick.randrange(1, 9)},
             {"companyId": 3, "contactId": 4}]
        )  # fmt: skip

    def origin(self) -> dict[str, Any]:
        return {
            "utmSource": self.pick.choice((None, None, "yandex", "google", "mail")),
            "sourceId": self.pick.choice((None, "WEB", "CALL", "VANISHED", "EMAIL")),
        }

    def lead(self, at: datetime | None = None) -> None:
        made, moment = self.portal, at or self.moment()
        number = crm.add_item(
            made, "lead", {"assignedById": self.owner(), **self.client(), **self.origin()}, at=moment
        )
        for stage in ("IN_PROCESS", self.pick.choice(("CONVERTED", "JUNK", None, "CONVERTED"))):
            moment = self.later(moment, 4)
            if stage and self.pick.random() < 0.8:
                crm.move_lead(made, number, stage, at=at or moment)

    def deal(self, at: datetime | None = None) -> None:
        made, moment, pick = self.portal, at or self.moment(), self.pick
        leads = [row["id"] for row in made.records["lead"]] or [0]
        category = pick.choice((0, 0, 3))
        prefix = "C3:" if category else ""
        path = ("MIDDLE", "LAST") if category else ("PREPARATION", "EXECUTING", "FINAL_INVOICE")
        final = [f"{prefix}{name}" for name in ("WON", "WON", "LOSE")]
        number = crm.add_item(
            made,
            "deal",
            {
                "assignedById": self.owner(),
                "categoryId": category,
                "stageId": pick.choice((f"{prefix}NEW", f"{prefix}NEW", f"{prefix}{path[-1]}", *final[1:])),
                "opportunity": Decimal(pick.randrange(0, 10_000_000)) / 100,
                "currencyId": pick.choice(("RUB", "RUB", "USD", "KZT", "XXX")),
                "leadId": pick.choice([0, 0, NOBODY, *pick.sample(leads, 1)]),
                "isRecurring": pick.random() < 0.05,
                **self.client(),
                **self.origin(),
            },
            at=moment,
        )
        steps = [f"{prefix}{name}" for name in path if pick.random() < 0.6]
        steps += pick.choice(([], final[:1], final[:1], final[2:], ["C3:LOSE", "PREPARATION", "WON"]))
        for stage in steps:
            moment = self.later(moment, 9)
            crm.move_deal(made, number, stage, at=at or moment)

    def ticket(self, at: datetime | None = None) -> None:
        made, moment, pick = self.portal, at or self.moment(), self.pick
        kind, stage = f"dynamic_{self.desk}", f"DT{self.desk}_{self.desk_category}:"
        good = next(row for row in made.records["user_field"] if row.get("enum"))["enum"][0]["ID"]
        number = crm.add_item(
            made,
            kind,
            {
                "assignedById": self.owner(),
                self.score: pick.choice((None, good, good + 1)),
                self.planned: pick.choice((None, 100, 250.5)),
                self.actual: pick.choice((None, 90, 300.25)),
                "currencyId": pick.choice(("RUB", "USD")),
                **self.client(),
            },
            at=moment,
        )
        course = pick.choice((["CLIENT", "SUCCESS"], ["FAIL"], ["SUCCESS", "CLIENT"], [], ["CLIENT"],
                              ["SUCCESS", "PREPARATION", "SUCCESS"]))  # fmt: skip
        for name in course:
            moment = self.later(moment, 5)
            crm.move_item(made, kind, number, stage + name, at=at or moment)

    def chat(self, at: datetime | None = None) -> None:
        """A chat; sometimes a bot or a system message is first, sometimes nobody answers."""
        made, pick = self.portal, self.pick
        opened = at or self.moment()
        self._sessions += 1
        number, owner = self._sessions, self.owner()
        said = min(self.ago(), opened)
        self._say(number, 5001, said)
        if pick.random() < 0.5:
            self._say(number, pick.choice((BOT, 0)), said + timedelta(seconds=2))
        if pick.random() < 0.8:
            said += timedelta(seconds=pick.randrange(5, 200_000) if not at else 5)
            self._say(number, pick.choice((ANNA, VERA)), min(said, self.now))
        fields: dict[str, Any] = {
            "PROVIDER_ID": "IMOPENLINES_SESSION", "ASSOCIATED_ENTITY_ID": number, "RESPONSIBLE_ID": owner,
            "START_TIME": opened + timedelta(seconds=pick.choice((0, 0, 0, 30_000)) if not at else 0),
            "END_TIME": opened,
        }  # fmt: skip
        if pick.random() < 0.75:
            fields |= {"COMPLETED": True, "END_TIME": self.later(opened, 3)}
            self._say(number, 0, self.now, imolVoteSid=number, imolVoteUser=pick.choice((0, 1, 5, 5)))
        item = pick.choice(
            ((4, pick.randrange(1, 9)), (3, 5), (2, pick.randrange(1, 60)), (1, pick.randrange(1, 40)))
        )
        activities.add_activity(made, *item, fields, at=opened)

    def _say(self, session: int, sender: int, at: datetime, **params: int) -> None:
        self.portal.put(
            "session_message",
            {"SESSION_ID": session, "CHAT_ID": 9_000 + session, "SENDER_ID": sender, "DATE": at, "TEXT": "",
             "PARAMS": params},
            quiet=True,
        )  # fmt: skip

    def call(self, at: datetime | None = None) -> None:
        pick = self.pick
        kind = pick.choice((None, "COMPANY", "CONTACT", "LEAD"))
        self.portal.put(
            "call",
            {
                "PORTAL_USER_ID": self.owner(), "CALL_TYPE": pick.randint(1, 5),
                "CALL_DURATION": pick.choice((0, 30, 600, 3_600, -5)),
                "CALL_START_DATE": at or self.moment(),
                "CALL_FAILED_CODE": pick.choice(("200", "200", "304", "603-S")),
                "CALL_VOTE": pick.choice((0, 1, 3, 4, 5)), "CRM_ENTITY_TYPE": kind,
                "CRM_ENTITY_ID": pick.randrange(1, 9) if kind else 0,
            },
        )  # fmt: skip

    def task(self, at: datetime | None = None) -> None:
        made, pick = self.portal, self.pick
        moment = at or self.moment()
        deadline = pick.choice((None, self.later(moment, 9), self.moment(), self.now + timedelta(days=2)))
        number = tasks.add_task(
            made,
            {
                "RESPONSIBLE_ID": self.owner(), "GROUP_ID": pick.choice((0, 1, 2)), "DEADLINE": deadline,
                "TIME_ESTIMATE": pick.choice((0, 3_600, 9_000)), "MARK": pick.choice((None, "P", "P", "N")),
            },
            at=moment,
        )  # fmt: skip
        for status in pick.choice(((3, 5), (5,), (5, 3, 5), (3, 4, 3), (6,), (3,), (4, 2, 5))):
            moment = self.later(moment, 6)
            if deadline is not None and status == tasks.DONE and pick.random() < 0.3:
                moment = min(self.ago(), deadline + timedelta(seconds=pick.choice((0, 1))))
            tasks.update_task(made, number, {"STATUS": status}, at=at or moment)
        for _ in range(pick.randint(0, 2)):
            self.hours(number, at)

    def hours(self, task: int, at: datetime | None = None) -> None:
        seconds = self.pick.choice((60, 3_600, 5_400, 30_000))
        tasks.log_time(self.portal, task, self.owner(), seconds, at=at or self.moment())

    def activity(self, at: datetime | None = None) -> None:
        made, pick = self.portal, self.pick
        moment, kind = at or self.moment(), pick.choice((1, 2, 4, 4, 6))
        settings = pick.choice(
            ({}, {"IS_BATCH_EMAIL": False}, {"IS_BATCH_EMAIL": True}, {"READ_CONFIRMED": 1_790_000_000},
             {"IS_BATCH_EMAIL": False, "READ_CONFIRMED": 0})
        )  # fmt: skip
        fields: dict[str, Any] = {
            "TYPE_ID": kind, "RESPONSIBLE_ID": self.owner(), "DIRECTION": pick.choice((0, 1, 2, 2)),
            "SETTINGS": settings if kind == 4 else {}, "START_TIME": self.moment(), "END_TIME": self.moment(),
            "COMPLETED": pick.random() < 0.6,
            "BINDINGS": [{"OWNER_TYPE_ID": 2, "OWNER_ID": pick.randrange(1, 61)}] * pick.randint(0, 1),
        }  # fmt: skip
        activities.add_activity(made, *pick.choice(((2, pick.randrange(1, 61)), (3, 5))), fields, at=moment)

    def entries(self) -> Entered:
        """Costs over days and campaign results, with and without departments."""
        pick, found = self.pick, Entered()
        channels = ("yandex", "Web site", "Ads", "google")
        for number in range(12):
            first = self.day()
            found.costs.append(
                {
                    "external_id": f"cost{number}", "channel": pick.choice(channels), "from": str(first),
                    "to": str(first + timedelta(days=pick.choice((0, 6, 30, 89)))),
                    "amount": pick.choice(("100.50", "7000", "333.33")),
                    "currency": pick.choice(("RUB", "USD")),
                    **pick.choice(({}, *({"department": one} for one in (SALES, NORTH, CIRCLE_A)))),
                }
            )  # fmt: skip
            found.campaigns.append(
                {
                    "external_id": f"mail{number}", "channel": pick.choice(channels), "date": str(self.day()),
                    "name": f"Campaign {number}", "delivered": (sent := pick.randrange(1, 500)),
                    "opened": sent // 2, "clicked": sent // 5, "visits": sent // 4,
                    **pick.choice(({}, {"department": SALES}, {"department": NORTH})),
                }
            )  # fmt: skip
        return found

    def day(self) -> date:
        return self.moment().astimezone(self.zone).date()

    def settings(self) -> dict[str, Any]:
        """A body of `PATCH /api/v1/settings`."""
        pick = self.pick
        good = next(row for row in self.portal.records["user_field"] if row.get("enum"))["enum"][0]["ID"]
        desk = {"entity_type_id": self.desk, "category_id": self.desk_category, "rating_field": self.score,
                "positive_values": [str(good)]}  # fmt: skip
        budget = {"entity_type_id": self.desk, "planned_field": self.planned, "actual_field": self.actual}
        return {
            "support": {"sessions": True, "calls": pick.random() < 0.6, "tickets": [desk]},
            "channels": pick.choice(
                ([], [{"source_id": "WEB", "channel": "Ads"}, {"utm_source": "mail", "channel": "Letters"},
                      {"utm_source": "google", "source_id": "CALL", "channel": "Both"}])
            ),
            "pipelines": pick.choice((None, [0], [0, 3])),
            "projects": pick.choice((None, [1])),
            "fcr_days": pick.choice((7, 3)),
            "hours_per_day": pick.choice((8, 7.5)),
            "working_hours_for_support": pick.random() < 0.4,
            "budget": pick.choice((None, budget)),
            "currency": pick.choice(("RUB", "USD")),
        }  # fmt: skip


@dataclass
class Company:
    """The portal, the app that was installed into it, and how to ask it."""

    emulator: Emulator
    portal: Portal
    dirt: Dirt
    url: str
    settings_of_app: Settings
    parts: Parts = field(init=False)
    entered: Entered = field(default_factory=Entered)
    settings: dict[str, Any] = field(default_factory=dict)
    _server: BaseWSGIServer = field(init=False)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """The app's parts and its server."""
        self.parts = replace(bootstrap.build(self.settings_of_app), budgets=Unhurried())
        port = int(self.url.rsplit(":", 1)[1])
        self._server = make_server("127.0.0.1", port, create_app(self.parts), threaded=True)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.parts.close()

    def live(self) -> Live:
        return Live(self.url, self.parts, self.emulator)

    def token(self, user_id: int) -> str:
        """What the frame of this person carries."""
        return token(self.live().open(self.portal, user_id))

    def get(self, path: str, bearer: str, **params: Any) -> dict[str, Any]:
        """The JSON of a successful GET."""
        return self._answer("GET", path, bearer, params=params)

    def send(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """The JSON of a successful request of the admin."""
        return self._answer(method, path, self.token(ADMIN), json=body)

    def _answer(self, method: str, path: str, bearer: str, **options: Any) -> dict[str, Any]:
        answer = requests.request(
            method, self.url + path, headers={"Authorization": f"Bearer {bearer}"}, timeout=120, **options
        )
        assert answer.status_code == 200, f"{answer.status_code} {path} {options}: {answer.text[:2000]}"
        found: dict[str, Any] = answer.json()
        return found

    def plain(self, now: datetime) -> Plain:
        """The plain calculation of the portal as it is."""
        return Plain(self.portal, self.settings, self.entered, now)

    def read(self) -> None:
        """Read all that is left to read."""
        assert first_read.run(self.parts, 1)

    def catch_up(self, bearer: str) -> None:
        """Ask for live numbers until they are: an answer waits for the portal ten seconds at most."""
        began = datetime.now(UTC).timestamp()
        while not refresh.is_checked(self.parts.engine, 1, began):
            assert datetime.now(UTC).timestamp() < began + PATIENCE_S
            self.get("/api/v1/kpi", bearer, metric="deals_won", scope="company", fresh="1")

    def let_short_lists_come_due(self) -> None:
        """People, rates and time records are read at most every ten minutes: let those have passed."""
        with self.parts.engine.begin() as conn:
            at = cursor.load(conn, 1, CHANGES)
            sources = tables.sync_sources
            conn.execute(
                sources.update()
                .where(sources.c.source == CHANGES)
                .values(cursor={**at, "reference_at": 0, "latest_at": 0})
            )


@contextmanager
def dirty_company(
    database_url: str,
    var_dir: Path,
    seed_: int,
    *,
    timezone: str = "Europe/Berlin",
    uses_leads: bool = True,
    read: Callable[[Company], None] | None = None,
) -> Iterator[Company]:
    """Filled, installed over HTTP by its admin, set up and read, the first time by `read` if given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    with Emulator(app_url=url) as emulator:
        portal = emulator.add_portal(timezone=timezone, uses_leads=uses_leads, is_box=True)
        dirt = Dirt(portal, seed_)
        dirt.fill()
        company = Company(
            emulator,
            portal,
            dirt,
            url,
            Settings(
                client_id=emulator.client_id,
                client_secret=emulator.client_secret,
                oauth_urls=(emulator.auth_url,),
                database_url=database_url,
                secret_keys=("key of the tests",),
                var_dir=var_dir,
                public_url=url,
                allow_private_portals=True,
            ),
        )
        company.start()
        try:
            assert company.live().install(portal, ADMIN).status_code == 200
            assert company.parts.soon.settle(20)
            emulator.install(portal, ADMIN)  # what the page's script does at the end
            company.live().settle(portal)
            (read or Company.read)(company)
            company.send("PATCH", "/api/v1/settings", dirt.settings())
            company.settings = company.send("GET", "/api/v1/settings", None)
            company.entered = dirt.entries()
            company.send("PUT", "/api/v1/costs", company.entered.costs)
            company.send("PUT", "/api/v1/campaigns", company.entered.campaigns)
            company.read()
            yield company
        finally:
            company.stop()
