"""One portal as a place on the network: its records plus the app's installation, limits, faults, log."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.clock import Clock
from emulator.counters import Counters
from emulator.faults import Faults
from emulator.limits import Limits
from emulator.world import Portal, Row

if TYPE_CHECKING:
    from emulator.events import Events

CALLS_KEPT = 20_000

ALL_SCOPES = frozenset({
    "crm", "user", "user_basic", "user_brief", "department", "task", "tasks", "telephony", "imopenlines",
    "im", "sonet_group", "sonet", "socialnetwork", "calendar", "timeman", "humanresources", "bizproc",
    "biconnector", "placement", "pull", "log", "sale", "userfieldconfig",
})  # fmt: skip


@dataclass
class Handler:
    """One row of event.get."""

    id: int
    event: str  # upper case
    url: str  # "" for offline
    user_id: int  # whose token is sent; 0 is who caused the event
    is_offline: bool = False
    connector: str = ""
    options: Row = field(default_factory=dict)


@dataclass
class PlacementHandler:
    """One row of placement.get."""

    id: int
    code: str  # upper case
    url: str
    user_id: int = 0
    title: str = ""
    description: str = ""
    group_name: str = ""
    lang_all: Row = field(default_factory=dict)
    options: Row = field(default_factory=dict)
    icon: Any = None


@dataclass
class App:
    """One application on one portal."""

    client_id: str
    scopes: set[str]
    application_token: str
    title: str = ""  # in the app card; empty shows the client id
    was_opened: bool = False  # a page of it has said setInstall
    is_present: bool = True  # false after uninstalling
    is_installed: bool = False  # true after installFinish
    version: int = 1
    status: str = "L"
    is_unpaid: bool = False
    days: int | None = None
    allowed_users: set[int] | None = None  # None: everybody
    installed_by: int = 1
    install_url: str = ""  # the installer of the app card; "" installs at once
    app_url: str = ""
    callback_url: str = ""  # installation without interface
    options: Row = field(default_factory=dict)
    user_options: dict[int, Row] = field(default_factory=dict)
    handlers: list[Handler] = field(default_factory=list)
    placements: list[PlacementHandler] = field(default_factory=list)
    robots: dict[str, Row] = field(default_factory=dict)
    activities: dict[str, Row] = field(default_factory=dict)
    workflow_answers: list[Row] = field(default_factory=list)  # bizproc.event.send
    event_tokens: set[str] = field(default_factory=set)  # of robots waiting for an answer
    last_id: int = 0

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def drop_registrations(self) -> None:
        """What an uninstalled app leaves behind: nothing but options."""
        self.handlers.clear()
        self.placements.clear()
        self.robots.clear()
        self.activities.clear()


@dataclass
class Quirks:
    """Where portals differ (docs, published code, builds): the reader must survive either side."""

    sends_application_token: bool = True  # newer frame POST
    access_errors_status: int = 403  # insufficient_scope, user_access_error, ACCESS_DENIED; code says 401
    uncounted_total_is_zero: bool = False  # controller lists with start=-1
    empty_links_are_null: bool = False  # contactId, companyId: 0 otherwise
    unknown_history_order_fails: bool = False  # 400 by the docs, dropped by portal code
    own_writes_are_queued: bool = True  # the app's own changes come back in its offline queue
    deleted_status: int = 500  # PORTAL_DELETED: 500, 410 or 403
    deleted_is_html: bool = False
    webhooks_need_https: bool = False  # a real portal does; off for loopback
    handlers_need_a_dot: bool = False  # a real portal refuses `localhost` handlers; off for loopback
    placement_errors_are_200: bool = False
    features: frozenset[str] = frozenset()  # rest_offline_extended, rest_auth_connector


@dataclass
class Site:
    portal: Portal
    clock: Clock
    auth_url: str  # http://host:port of the authorization server
    apps: dict[str, App] = field(default_factory=dict)
    quirks: Quirks = field(default_factory=Quirks)
    limits: Limits = field(default_factory=Limits)
    faults: Faults = field(default_factory=Faults)
    counters: Counters = field(default_factory=Counters)
    calls: deque[tuple[str, Any]] = field(default_factory=lambda: deque(maxlen=CALLS_KEPT))
    webhooks: dict[tuple[int, str], set[str]] = field(default_factory=dict)
    notifications: list[Row] = field(default_factory=list)  # im.notify.*, oldest first
    last_notice: int = 0
    is_deleted: bool = False
    missing_methods: set[str] = field(default_factory=set)  # modules this portal lacks
    license: str = "ru_pro100"
    lock: threading.RLock = field(default_factory=threading.RLock)  # of the app's registrations
    events: Events = field(init=False)
    visible: dict[int, tuple[tuple[int, int], frozenset[int]]] = field(default_factory=dict)  # see `rights`

    @property
    def scheme(self) -> str:
        return "http"

    @property
    def client_endpoint(self) -> str:
        return f"{self.scheme}://{self.portal.domain}/rest/"

    @property
    def server_endpoint(self) -> str:
        return f"{self.auth_url}/rest/"

    def user(self, user_id: int) -> Row | None:
        return self.portal.records["user"].get(user_id)

    def has_feature(self, code: str) -> bool:
        return code in self.quirks.features


def application_token(member_id: str, client_id: str, client_secret: str) -> str:
    return hashlib.md5(f"{member_id}{client_id}{client_secret}".encode(), usedforsecurity=False).hexdigest()
