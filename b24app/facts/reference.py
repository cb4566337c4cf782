"""Currencies, pipelines, stages, lead sources: what the ids in other facts mean."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from b24app.facts import deals, leads, values
from b24app.facts.values import BadRow, Row


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    amount: str  # exact decimal text: this much base currency …
    amount_cnt: int  # … for this many units
    is_base: bool


@dataclass(frozen=True, slots=True)
class Pipeline:
    entity_type_id: int
    category_id: int
    name: str
    sort: int
    is_default: bool


@dataclass(frozen=True, slots=True)
class Stage:
    entity_type_id: int
    category_id: int  # 0 for leads
    stage_id: str
    name: str
    sort: int
    semantics: str
    color: str | None


@dataclass(frozen=True, slots=True)
class LeadSource:
    source_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SmartProcess:
    entity_type_id: int
    title: str


@dataclass(frozen=True, slots=True)
class Statuses:
    """What one `crm.status.list` without a filter tells."""

    stages: tuple[Stage, ...]
    lead_sources: tuple[LeadSource, ...]


def parse_smart_process(row: Row) -> SmartProcess:
    """A row of `crm.type.list`. Raises: BadRow without a number or a title."""
    entity_type_id, title = values.whole(row.get("entityTypeId")), values.text(row.get("title"), 255)
    if not entity_type_id or not title:
        raise BadRow("a smart process without a number or a title")
    return SmartProcess(entity_type_id, title)


def parse_currency(row: Row) -> Currency:
    """The rate in a row of `crm.currency.list`. Raises: BadRow without a code or a usable rate."""
    code = (values.text(row.get("CURRENCY"), 8) or "").upper()
    is_base = values.yes(row.get("BASE"))
    count = values.whole(row.get("AMOUNT_CNT")) or 1
    try:
        rate = Decimal(str(row.get("AMOUNT")).strip())
    except InvalidOperation:
        rate = Decimal(1 if is_base else 0)
    if not code or not rate.is_finite() or rate <= 0 or count <= 0:
        raise BadRow("no rate")
    return Currency(code=code, amount=f"{rate:f}"[:40], amount_cnt=count, is_base=is_base)


def with_base(currencies: Iterable[Currency], base_code: Any) -> tuple[Currency, ...]:
    """The rates with exactly the base currency marked, where the list itself does not mark one."""
    found = tuple(currencies)
    base = (values.text(base_code, 8) or "").upper()
    if any(currency.is_base for currency in found) or not base:
        return found
    others = tuple(currency for currency in found if currency.code != base)
    return (Currency(code=base, amount="1", amount_cnt=1, is_base=True), *others)


def parse_pipeline(row: Row) -> Pipeline:
    """A row of `crm.category.list`; the default pipeline has id 0, which is an id."""
    category_id = values.whole(row.get("id"))
    if category_id is None:
        raise BadRow("no id")
    return Pipeline(
        entity_type_id=values.whole(row.get("entityTypeId")) or deals.ENTITY_TYPE_ID,
        category_id=category_id,
        name=values.text(row.get("name"), 255) or "",
        sort=values.whole(row.get("sort")) or 0,
        is_default=values.yes(row.get("isDefault")),
    )


def parse_statuses(rows: Iterable[Row]) -> Statuses:
    """Stages of leads, deals and smart processes and the lead sources among all rows of `crm.status.list`."""
    stages: list[Stage] = []
    sources: list[LeadSource] = []
    for row in rows:
        entity = str(row.get("ENTITY_ID") or "")
        status_id = values.text(row.get("STATUS_ID"), 64)
        if status_id is None:
            continue
        name = values.text(row.get("NAME"), 255) or ""
        place = _place(entity)
        if entity == "SOURCE":
            sources.append(LeadSource(status_id, name))
        elif place is not None:
            stages.append(
                Stage(
                    entity_type_id=place[0],
                    category_id=place[1],
                    stage_id=status_id,
                    name=name,
                    sort=values.whole(row.get("SORT")) or 0,
                    semantics=_semantics(row),
                    color=_color(row),
                )
            )
    return Statuses(tuple(stages), tuple(sources))


def _place(entity: str) -> tuple[int, int] | None:
    """(entity type, pipeline) of an ENTITY_ID that holds stages of leads, deals or a smart process."""
    if entity == "STATUS":
        return leads.ENTITY_TYPE_ID, 0
    if entity == "DEAL_STAGE":
        return deals.ENTITY_TYPE_ID, 0
    prefix, _, number = entity.rpartition("_")
    if prefix == "DEAL_STAGE" and number.isdigit():
        return deals.ENTITY_TYPE_ID, int(number)
    found = re.fullmatch(r"DYNAMIC_(\d+)_STAGE_(\d+)", entity)
    return None if found is None else (int(found[1]), int(found[2]))


def _semantics(row: Row) -> str:
    said = str(row.get("SEMANTICS") or "").upper()
    if said in ("P", "S", "F"):
        return said
    extra = row.get("EXTRA")
    word = str(extra.get("SEMANTICS") or "") if isinstance(extra, dict) else ""
    return {"success": "S", "failure": "F", "apology": "F"}.get(word, "P")


def _color(row: Row) -> str | None:
    extra = row.get("EXTRA")
    nested = extra.get("COLOR") if isinstance(extra, dict) else None
    return values.text(row.get("COLOR"), 16) or values.text(nested, 16)
