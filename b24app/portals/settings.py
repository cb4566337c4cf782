"""What an admin may set for a portal: typed, with defaults, checked by name before it is stored.

`portals.settings` keeps what was set, in the JSON of `GET /api/v1/settings`; a key that was never set is not
there. The time zone has its own column, because it cuts days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Connection, select, update

from b24app import scope
from b24app.access import Grant
from b24app.refusal import PartsRefused, Why
from b24app.scope import Whose
from b24app.tables import currencies, departments, pipelines, portals, users

DEAL = 2
SMART_PROCESS_FROM = 128
"""Entity types: 2 is the deal, smart processes have larger numbers; the ones between are other things."""

FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
LIST_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class TicketSource:
    """A pipeline of deals or of a smart process that serves as the help desk."""

    entity_type_id: int
    category_id: int
    rating_field: str | None = None
    positive_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Support:
    """Where support cases come from."""

    sessions: bool = True
    calls: bool = False
    tickets: tuple[TicketSource, ...] = ()


@dataclass(frozen=True, slots=True)
class Budget:
    """Two number fields of an object that hold planned and actual money."""

    entity_type_id: int
    planned_field: str
    actual_field: str


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Records with this `utmSource` and/or `sourceId` came through `channel`; at least one is named."""

    channel: str
    utm_source: str | None = None
    source_id: str | None = None


@dataclass(frozen=True, slots=True)
class MinSample:
    """Records behind a ratio or a mean below which a value is said to rest on few data."""

    ratio: int = 10
    mean: int = 5


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Shares of the pace from which a target counts as met, or nearly met."""

    met: Decimal = Decimal(1)
    near: Decimal = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class PortalSettings:
    """One portal's settings, as `GET /api/v1/settings` shows them. None means: no limit, nothing chosen."""

    timezone: str = "UTC"
    currency: str | None = None  # None: the portal's base currency
    pipelines: frozenset[int] | None = None
    projects: frozenset[int] | None = None
    support: Support = Support()
    fcr_days: int = 7
    working_hours_for_support: bool = False
    hours_per_day: Decimal = Decimal(8)
    budget: Budget | None = None
    channels: tuple[ChannelRule, ...] = ()
    min_sample: MinSample = MinSample()
    thresholds: Thresholds = Thresholds()
    open_leaderboard: bool = False
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the portal has; a setting can only name these."""

    currencies: frozenset[str] = frozenset()
    base_currency: str | None = None
    pipelines: frozenset[int] = frozenset()
    departments: frozenset[int] = frozenset()
    employees: frozenset[int] = frozenset()


class SettingsRefused(PartsRefused):
    """Raised with every refused setting: its path (`min_sample.ratio`, `grants[0].user`) and why."""


def load(conn: Connection, portal_id: int) -> PortalSettings:
    """The portal's settings; defaults where nothing was set. Raises LookupError for an unknown portal."""
    row = conn.execute(
        select(portals.c.settings, portals.c.timezone).where(portals.c.portal_id == portal_id)
    ).one_or_none()
    if row is None:
        raise LookupError(f"no portal {portal_id}")
    return from_stored(row.settings or {}, row.timezone)


def load_known(conn: Connection, portal_id: int) -> Known:
    """What has been read of the portal and can be named in a setting."""
    codes = conn.execute(
        select(currencies.c.code, currencies.c.is_base).where(currencies.c.portal_id == portal_id)
    ).all()
    return Known(
        currencies=frozenset(row.code for row in codes),
        base_currency=next((row.code for row in codes if row.is_base), None),
        pipelines=frozenset(
            conn.scalars(
                select(pipelines.c.category_id).where(
                    pipelines.c.portal_id == portal_id, pipelines.c.entity_type_id == DEAL
                )
            )
        ),
        departments=frozenset(
            conn.scalars(select(departments.c.department_id).where(departments.c.portal_id == portal_id))
        ),
        employees=frozenset(
            conn.scalars(
                select(users.c.user_id).where(users.c.portal_id == portal_id, users.c.is_employee.is_(True))
            )
        ),
    )


def save(conn: Connection, portal_id: int, settings: PortalSettings) -> None:
    """Store the settings. Every number may change with them, so the data version moves too.

    Call it after `store.lock`, so that nothing was changed since the settings were loaded.
    """
    conn.execute(
        update(portals)
        .where(portals.c.portal_id == portal_id)
        .values(
            settings=to_stored(settings),
            timezone=settings.timezone,
            data_version=portals.c.data_version + 1,
        )
    )


def from_stored(stored: Mapping[str, Any], timezone: str) -> PortalSettings:
    """Typed settings from stored JSON, which was checked before it was stored."""
    support = stored.get("support", {})
    sample = stored.get("min_sample", {})
    levels = stored.get("thresholds", {})
    budget = stored.get("budget")
    base = PortalSettings()
    return PortalSettings(
        timezone=timezone,
        currency=stored.get("currency"),
        pipelines=_ids(stored.get("pipelines")),
        projects=_ids(stored.get("projects")),
        support=Support(
            sessions=support.get("sessions", base.support.sessions),
            calls=support.get("calls", base.support.calls),
            tickets=tuple(
                TicketSource(
                    entity_type_id=ticket["entity_type_id"],
                    category_id=ticket["category_id"],
                    rating_field=ticket.get("rating_field"),
                    positive_values=tuple(str(value) for value in ticket.get("positive_values", ())),
                )
                for ticket in support.get("tickets", ())
            ),
        ),
        fcr_days=stored.get("fcr_days", base.fcr_days),
        working_hours_for_support=stored.get("working_hours_for_support", base.working_hours_for_support),
        hours_per_day=Decimal(str(stored.get("hours_per_day", base.hours_per_day))),
        budget=None if budget is None else Budget(**budget),
        channels=tuple(ChannelRule(**rule) for rule in stored.get("channels", ())),
        min_sample=MinSample(
            ratio=sample.get("ratio", base.min_sample.ratio), mean=sample.get("mean", base.min_sample.mean)
        ),
        thresholds=Thresholds(
            met=Decimal(str(levels.get("met", base.thresholds.met))),
            near=Decimal(str(levels.get("near", base.thresholds.near))),
        ),
        open_leaderboard=stored.get("open_leaderboard", base.open_leaderboard),
        grants=tuple(Grant(grant["user"], scope.parse(grant["scope"])) for grant in stored.get("grants", ())),
    )


def to_json(settings: PortalSettings, base_currency: str | None) -> dict[str, Any]:
    """The whole of `GET /api/v1/settings`; the report currency is the base one where none was chosen."""
    return {
        "timezone": settings.timezone,
        "currency": settings.currency or base_currency,
        "pipelines": None if settings.pipelines is None else sorted(settings.pipelines),
        "projects": None if settings.projects is None else sorted(settings.projects),
        "support": {
            "sessions": settings.support.sessions,
            "calls": settings.support.calls,
            "tickets": [_ticket_json(ticket) for ticket in settings.support.tickets],
        },
        "fcr_days": settings.fcr_days,
        "working_hours_for_support": settings.working_hours_for_support,
        "hours_per_day": _number(settings.hours_per_day),
        "budget": None
        if settings.budget is None
        else {
            "entity_type_id": settings.budget.entity_type_id,
            "planned_field": settings.budget.planned_field,
            "actual_field": settings.budget.actual_field,
        },
        "channels": [channel_json(rule) for rule in settings.channels],
        "min_sample": {"ratio": settings.min_sample.ratio, "mean": settings.min_sample.mean},
        "thresholds": {
            "met": _number(settings.thresholds.met),
            "near": _number(settings.thresholds.near),
        },
        "open_leaderboard": settings.open_leaderboard,
        "grants": [{"user": grant.user_id, "scope": str(grant.scope)} for grant in settings.grants],
    }


def patched(current: PortalSettings, patch: object, known: Known) -> PortalSettings:
    """The settings after a PATCH: named keys replace, objects are merged key by key, lists replace whole.

    `null` where the shape allows it takes the choice back (all pipelines, no budget, base currency).
    Raises: SettingsRefused naming every key that is unknown, of a wrong type, or impossible here.
    """
    if not isinstance(patch, Mapping):
        raise SettingsRefused({"settings": Why("not_an_object")})
    merged = to_json(current, None)
    checker = _Checker(known)
    for name, value in patch.items():
        check = checker.checks.get(name)
        if check is None:
            checker.refuse(name, "unknown")
        else:
            merged[name] = check(name, value, merged[name])
    levels = merged["thresholds"]
    if (
        "thresholds" in patch
        and not checker.reasons
        and Decimal(str(levels["near"])) > Decimal(str(levels["met"]))
    ):
        checker.refuse("thresholds.near", "near_above_met")
    if checker.reasons:
        raise SettingsRefused(checker.reasons)
    return from_stored(merged, merged["timezone"])


def to_stored(settings: PortalSettings) -> dict[str, Any]:
    """The JSON for `portals.settings`."""
    stored = to_json(settings, None)
    del stored["timezone"]
    return stored


class _Checker:
    """Checks of single settings. Each returns the value to merge and notes what it refuses."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.reasons: dict[str, Why] = {}
        self.checks: dict[str, Callable[[str, Any, Any], Any]] = {
            "timezone": self._timezone,
            "currency": self._currency,
            "pipelines": self._pipelines,
            "projects": self._projects,
            "support": self._support,
            "fcr_days": lambda name, value, _old: self._int(name, value, 1, 365),
            "working_hours_for_support": lambda name, value, _old: self._bool(name, value),
            "hours_per_day": lambda name, value, _old: self._decimal(name, value, Decimal(0), Decimal(24)),
            "budget": self._budget,
            "channels": self._channels,
            "min_sample": self._min_sample,
            "thresholds": self._thresholds,
            "open_leaderboard": lambda name, value, _old: self._bool(name, value),
            "grants": self._grants,
        }

    def refuse(self, name: str, code: str, **values: object) -> None:
        self.reasons.setdefault(name, Why(code, values))

    def _timezone(self, name: str, value: Any, _old: Any) -> Any:
        if not isinstance(value, str) or value not in available_timezones():
            self.refuse(name, "no_timezone")
        return value

    def _currency(self, name: str, value: Any, _old: Any) -> Any:
        if value is not None and (not isinstance(value, str) or value not in self.known.currencies):
            self.refuse(name, "no_currency")
        return value

    def _pipelines(self, name: str, value: Any, _old: Any) -> Any:
        if value is None:
            return None
        if not self._list(name, value):
            return value
        if not value:
            self.refuse(name, "no_pipeline_named")
        for i, item in enumerate(value):
            if isinstance(item, bool) or not isinstance(item, int) or item not in self.known.pipelines:
                self.refuse(f"{name}[{i}]", "no_pipeline")
        return value

    def _projects(self, name: str, value: Any, _old: Any) -> Any:
        if value is None:
            return None
        if not self._list(name, value):
            return value
        if not value:
            self.refuse(name, "no_project_named")
        for i, item in enumerate(value):
            self._int(f"{name}[{i}]", item, 0)  # 0: tasks of no project
        return value

    def _support(self, name: str, value: Any, old: Any) -> Any:
        if not self._object(name, value, {"sessions", "calls", "tickets"}):
            return value
        merged = {**old, **value}
        for key in ("sessions", "calls"):
            self._bool(f"{name}.{key}", merged[key])
        tickets = merged["tickets"]
        if self._list(f"{name}.tickets", tickets):
            for i, ticket in enumerate(tickets):
                self._ticket(f"{name}.tickets[{i}]", ticket)
        return merged

    def _ticket(self, name: str, value: Any) -> None:
        allowed = {"entity_type_id", "category_id", "rating_field", "positive_values"}
        if not self._object(name, value, allowed, {"entity_type_id", "category_id"}):
            return
        self._entity_type(f"{name}.entity_type_id", value["entity_type_id"])
        category = self._int(f"{name}.category_id", value["category_id"], 0)
        is_known = isinstance(category, int) and category in self.known.pipelines
        if value["entity_type_id"] == DEAL and not is_known:
            self.refuse(f"{name}.category_id", "no_pipeline")
        if value.get("rating_field") is not None:
            self._field_name(f"{name}.rating_field", value["rating_field"])
        values = value.get("positive_values", [])
        if self._list(f"{name}.positive_values", values):
            for i, item in enumerate(values):
                if isinstance(item, bool) or not isinstance(item, str | int):
                    self.refuse(f"{name}.positive_values[{i}]", "no_text_or_number")
            if values and value.get("rating_field") is None:
                self.refuse(f"{name}.positive_values", "needs_rating_field")

    def _budget(self, name: str, value: Any, _old: Any) -> Any:
        if value is None:
            return None
        keys = {"entity_type_id", "planned_field", "actual_field"}
        if self._object(name, value, keys, keys):
            self._entity_type(f"{name}.entity_type_id", value["entity_type_id"])
            self._field_name(f"{name}.planned_field", value["planned_field"])
            self._field_name(f"{name}.actual_field", value["actual_field"])
            if value["planned_field"] == value["actual_field"]:
                self.refuse(f"{name}.actual_field", "same_field")
        return value

    def _channels(self, name: str, value: Any, _old: Any) -> Any:
        if not self._list(name, value):
            return value
        for i, rule in enumerate(value):
            at = f"{name}[{i}]"
            if not self._object(at, rule, {"utm_source", "source_id", "channel"}, {"channel"}):
                continue
            self._text(f"{at}.channel", rule["channel"], 100)
            named = [key for key in ("utm_source", "source_id") if rule.get(key) is not None]
            for key in named:
                self._text(f"{at}.{key}", rule[key], 255)
            if not named:
                self.refuse(at, "needs_origin")
        return value

    def _min_sample(self, name: str, value: Any, old: Any) -> Any:
        if not self._object(name, value, {"ratio", "mean"}):
            return value
        for key, number in value.items():
            self._int(f"{name}.{key}", number, 0, 100_000)
        return {**old, **value}

    def _thresholds(self, name: str, value: Any, old: Any) -> Any:
        if not self._object(name, value, {"met", "near"}):
            return value
        checked = {
            key: self._decimal(f"{name}.{key}", number, Decimal(0), Decimal(10))
            for key, number in value.items()
        }
        return {**old, **checked}

    def _grants(self, name: str, value: Any, _old: Any) -> Any:
        if not self._list(name, value):
            return value
        for i, grant in enumerate(value):
            at = f"{name}[{i}]"
            if not self._object(at, grant, {"user", "scope"}, {"user", "scope"}):
                continue
            user = grant["user"]
            if isinstance(user, bool) or not isinstance(user, int) or user not in self.known.employees:
                self.refuse(f"{at}.user", "no_employee")
            self._granted_scope(f"{at}.scope", grant["scope"])
        return value

    def _granted_scope(self, name: str, value: Any) -> None:
        try:
            granted = scope.parse(value if isinstance(value, str) else "")
        except ValueError:
            self.refuse(name, "no_scope")
            return
        if granted.whose is Whose.USER:
            self.refuse(name, "no_scope")
        elif granted.whose is Whose.DEPARTMENT and granted.id not in self.known.departments:
            self.refuse(name, "no_department")

    def _object(self, name: str, value: Any, keys: set[str], needed: set[str] | None = None) -> bool:
        if not isinstance(value, Mapping):
            self.refuse(name, "not_an_object")
            return False
        for key in value:
            if key not in keys:
                self.refuse(f"{name}.{key}", "unknown")
        missing = sorted((needed or set()) - set(value))
        for key in missing:
            self.refuse(f"{name}.{key}", "missing")
        return not missing and all(key in keys for key in value)

    def _list(self, name: str, value: Any) -> bool:
        if not isinstance(value, list):
            self.refuse(name, "no_list")
            return False
        if len(value) > LIST_LIMIT:
            self.refuse(name, "too_many", most=LIST_LIMIT)
            return False
        return True

    def _bool(self, name: str, value: Any) -> Any:
        if not isinstance(value, bool):
            self.refuse(name, "no_flag")
        return value

    def _int(self, name: str, value: Any, low: int, high: int | None = None) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, "no_whole_number")
        elif value < low or (high is not None and value > high):
            if high is None:
                self.refuse(name, "too_small", least=low)
            else:
                self.refuse(name, "not_between", least=low, most=high)
        return value

    def _decimal(self, name: str, value: Any, above: Decimal, up_to: Decimal) -> Any:
        try:
            number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            self.refuse(name, "no_number")
        elif not above < number <= up_to:
            self.refuse(name, "out_of_range", above=above, most=up_to)
        return value

    def _text(self, name: str, value: Any, longest: int) -> None:
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            self.refuse(name, "no_text", longest=longest)

    def _field_name(self, name: str, value: Any) -> None:
        if not isinstance(value, str) or FIELD_NAME.fullmatch(value) is None:
            self.refuse(name, "no_field")

    def _entity_type(self, name: str, value: Any) -> None:
        self._int(name, value, DEAL)
        if isinstance(value, int) and DEAL < value < SMART_PROCESS_FROM:
            self.refuse(name, "no_object_type")


def _ids(value: list[int] | None) -> frozenset[int] | None:
    return None if value is None else frozenset(value)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _ticket_json(ticket: TicketSource) -> dict[str, Any]:
    shown: dict[str, Any] = {"entity_type_id": ticket.entity_type_id, "category_id": ticket.category_id}
    if ticket.rating_field is not None:
        shown["rating_field"] = ticket.rating_field
        shown["positive_values"] = list(ticket.positive_values)
    return shown


def channel_json(rule: ChannelRule) -> dict[str, Any]:
    """The rule as it is sent."""
    shown = {"utm_source": rule.utm_source, "source_id": rule.source_id, "channel": rule.channel}
    return {key: value for key, value in shown.items() if value is not None}
