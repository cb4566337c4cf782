"""KPIs computed the plainest possible way, straight from a portal's REST rows. Shares no code with the app.

A portal is a dict: `timezone`, `uses_leads`, `pipelines` (chosen ids or None), `report` (currency or None),
`rules` (channel rules) and the rows of the list methods: `users`, `departments`, `currencies`, `categories`,
`stages`, `sources`, `deals`, `leads`, `history`. Slow on purpose: every question walks over everything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Portal = dict[str, Any]
Row = dict[str, Any]

KEYS = {
    "deals_won", "revenue", "average_check", "deals_lost", "win_rate", "funnel", "funnel_conversion",
    "processing_time", "repeat_sales_rate", "pipeline_open", "stage_time", "leads_new", "lead_conversion",
}  # fmt: skip
"""The KPIs that are computed here."""

RATIOS = {
    "average_check", "win_rate", "funnel_conversion", "processing_time", "repeat_sales_rate", "stage_time",
    "lead_conversion", "funnel",
}  # fmt: skip


def value(portal: Portal, metric: str, scope: str, start: date, end: date) -> Row:
    """value, numerator, denominator of one KPI; money and ratios as Decimal."""
    return _finish(metric, *_collect(portal, metric, _scope(portal, scope), start, end))


def rows(
    portal: Portal, metric: str, scope: str, start: date, end: date, by: str, today: date
) -> dict[str, Row]:
    """The same for every part of the KPI by the key of its row."""
    inside = _scope(portal, scope)
    if metric == "funnel":
        return _funnel(portal, inside, start, end)
    found: dict[str, Row] = {}
    if by == "user":
        people = {u["ID"] for u in _staff(portal)} if scope == "company" else _members(portal, scope)
        for user_id in people:
            found[f"user:{user_id}"] = value(portal, metric, f"user:{user_id}", start, end)
    elif by == "department":
        for department_id in _departments(portal, scope):
            key = f"department:{department_id}"
            found[key] = value(portal, metric, key, start, end)
    elif by in ("day", "week", "month"):
        pieces: dict[str, list[date]] = {}
        for offset in range((end - start).days):
            day = start + timedelta(days=offset)
            pieces.setdefault(_piece(day, by), []).append(day)
        for key, days in pieces.items():
            found[key] = value_between(portal, metric, inside, days[0], days[-1] + timedelta(days=1))
            if metric == "pipeline_open" and today not in days:
                found[key] = {"value": None, "numerator": None, "denominator": None}
    else:
        for key in _cut_keys(portal, metric, by):
            found[key] = _finish(metric, *_collect(portal, metric, inside, start, end, (by, key)))
    return found


def value_between(portal: Portal, metric: str, inside: Callable[[Any], bool], start: date, end: date) -> Row:
    return _finish(metric, *_collect(portal, metric, inside, start, end))


def _collect(
    portal: Portal,
    metric: str,
    inside: Callable[[Any], bool],
    start: date,
    end: date,
    only: tuple[str, str] | None = None,
) -> tuple[Any, Any]:
    """(numerator, denominator) of a ratio, (sum, None) of a sum."""
    if not portal["uses_leads"]:
        metric = {"leads_new": "deals_new", "lead_conversion": "funnel_conversion"}.get(metric, metric)

    def day(moment: str) -> date:
        return datetime.fromisoformat(moment).astimezone(ZoneInfo(portal["timezone"])).date()

    def dated(moment: str) -> bool:
        return start <= day(moment) < end

    if metric in ("leads_new", "lead_conversion"):
        leads = [
            lead
            for lead in portal["leads"]
            if inside(lead["assignedById"]) and dated(lead["createdTime"]) and _in_cut(portal, lead, only)
        ]
        converted = sum(1 for lead in leads if lead["stageSemanticId"] == "S")
        return (len(leads), None) if metric == "leads_new" else (converted, len(leads))

    if metric == "stage_time":
        return _stage_time(portal, inside, dated, only)

    deals = [
        deal
        for deal in portal["deals"]
        if deal["isRecurring"] != "Y"
        and inside(deal["assignedById"])
        and (portal["pipelines"] is None or deal["categoryId"] in portal["pipelines"])
        and _in_cut(portal, deal, only)
    ]
    created = [deal for deal in deals if dated(deal["createdTime"])]
    won = [deal for deal in deals if deal["stageSemanticId"] == "S" and dated(deal["movedTime"])]
    lost = [deal for deal in deals if deal["stageSemanticId"] == "F" and dated(deal["movedTime"])]
    if metric == "deals_won":
        return len(won), None
    if metric == "deals_lost":
        return len(lost), None
    if metric == "deals_new":
        return len(created), None
    if metric == "win_rate":
        return len(won), len(won) + len(lost)
    if metric in ("funnel_conversion", "funnel"):
        return sum(1 for deal in created if deal["stageSemanticId"] == "S"), len(created)
    if metric in ("revenue", "average_check"):
        worths = [w for w in (_worth(portal, deal) for deal in won) if w is not None]
        return (sum(worths, Decimal(0)), None if metric == "revenue" else len(worths))
    if metric == "pipeline_open":
        open_deals = [deal for deal in deals if deal["stageSemanticId"] == "P"]
        worths = [w for w in (_worth(portal, deal) for deal in open_deals) if w is not None]
        return sum(worths, Decimal(0)), None
    if metric == "processing_time":
        spans = []
        for deal in won:
            first = datetime.fromisoformat(deal["createdTime"])
            for lead in portal["leads"]:
                if lead["id"] == deal["leadId"]:
                    first = min(first, datetime.fromisoformat(lead["createdTime"]))
            span = (datetime.fromisoformat(deal["movedTime"]) - first).total_seconds()
            if span >= 0:
                spans.append(int(span))
        return sum(spans), len(spans)
    assert metric == "repeat_sales_rate", metric
    with_client = [deal for deal in won if _client(deal)]
    repeats = 0
    for deal in with_client:
        for other in portal["deals"]:
            if (
                other["isRecurring"] != "Y"
                and other["stageSemanticId"] == "S"
                and _client(other) == _client(deal)
                and (datetime.fromisoformat(other["movedTime"]), other["id"])
                < (datetime.fromisoformat(deal["movedTime"]), deal["id"])
            ):
                repeats += 1
                break
    return repeats, len(with_client)


def _stage_time(
    portal: Portal,
    inside: Callable[[Any], bool],
    dated: Callable[[str], bool],
    only: tuple[str, str] | None,
) -> tuple[int, int]:
    seconds = count = 0
    for deal in portal["deals"]:
        if deal["isRecurring"] == "Y" or not inside(deal["assignedById"]):
            continue
        stays: list[Row] = []
        for row in sorted(portal["history"], key=lambda r: r["ID"]):
            if row["OWNER_ID"] != deal["id"]:
                continue
            place = (row["CATEGORY_ID"], row["STAGE_ID"])
            if not stays or (stays[-1]["CATEGORY_ID"], stays[-1]["STAGE_ID"]) != place:
                stays.append(row)
        for stay, following in pairwise(stays):
            if stay["STAGE_SEMANTIC_ID"] != "P" or not dated(following["CREATED_TIME"]):
                continue
            if portal["pipelines"] is not None and stay["CATEGORY_ID"] not in portal["pipelines"]:
                continue
            then = {**deal, "categoryId": stay["CATEGORY_ID"], "stageId": stay["STAGE_ID"]}
            if not _in_cut(portal, then, only):
                continue
            left = datetime.fromisoformat(following["CREATED_TIME"])
            span = (left - datetime.fromisoformat(stay["CREATED_TIME"])).total_seconds()
            if span >= 0:
                seconds += int(span)
                count += 1
    return seconds, count


def _funnel(portal: Portal, inside: Callable[[Any], bool], start: date, end: date) -> dict[str, Row]:
    def in_period(row: Row) -> bool:
        created = datetime.fromisoformat(row["createdTime"]).astimezone(ZoneInfo(portal["timezone"]))
        return start <= created.date() < end

    found: dict[str, Row] = {}
    if portal["uses_leads"]:
        leads = [lead for lead in portal["leads"] if inside(lead["assignedById"]) and in_period(lead)]
        converted = [lead for lead in leads if lead["stageSemanticId"] == "S"]
        found["lead:created"] = {"value": None, "numerator": len(leads), "denominator": None}
        found["lead:converted"] = _finish("funnel", len(converted), len(leads))
    for category in sorted(portal["categories"], key=lambda c: (c["sort"], c["id"])):
        if portal["pipelines"] is not None and category["id"] not in portal["pipelines"]:
            continue
        cohort = [
            deal
            for deal in portal["deals"]
            if deal["isRecurring"] != "Y"
            and deal["categoryId"] == category["id"]
            and inside(deal["assignedById"])
            and in_period(deal)
        ]
        entity = "DEAL_STAGE" if category["id"] == 0 else f"DEAL_STAGE_{category['id']}"
        stages = sorted(
            (s for s in portal["stages"] if s["ENTITY_ID"] == entity), key=lambda s: int(s["SORT"])
        )
        in_progress = [s for s in stages if s["SEMANTICS"] is None]
        before = len(cohort)
        for stage in in_progress:
            later = {s["STATUS_ID"] for s in in_progress if int(s["SORT"]) > int(stage["SORT"])}
            reached = 0
            for deal in cohort:
                shown = {
                    row["STAGE_ID"]
                    for row in portal["history"]
                    if row["OWNER_ID"] == deal["id"] and row["CATEGORY_ID"] == category["id"]
                } | {deal["stageId"]}
                if deal["stageSemanticId"] == "S" or shown & ({stage["STATUS_ID"]} | later):
                    reached += 1
            found[f"stage:{category['id']}:{stage['STATUS_ID']}"] = _finish("funnel", reached, before)
            before = reached
        won = sum(1 for deal in cohort if deal["stageSemanticId"] == "S")
        won_stage = next(s["STATUS_ID"] for s in stages if s["SEMANTICS"] == "S")
        found[f"stage:{category['id']}:{won_stage}"] = _finish("funnel", won, before)
    return found


def _finish(metric: str, top: Any, bottom: Any) -> Row:
    if metric not in RATIOS:
        return {"value": top, "numerator": None, "denominator": None}
    with localcontext() as exact:
        exact.prec = 80
        ratio = Decimal(top) / Decimal(bottom) if bottom else None
        if ratio is not None:
            ratio = ratio.quantize(Decimal("1e-10"), ROUND_HALF_EVEN)
    return {"value": ratio, "numerator": top, "denominator": bottom}


def _worth(portal: Portal, deal: Row) -> Decimal | None:
    """In the report currency. Test portals have rates whose quotients end, so that Decimal is exact."""
    rates = {row["CURRENCY"]: row for row in portal["currencies"]}
    if deal["currencyId"] not in rates:
        return None
    report = portal["report"] or next(c for c, row in rates.items() if row["BASE"] == "Y")
    with localcontext() as exact:
        exact.prec = 80

        def in_base(code: str) -> Decimal:
            return Decimal(rates[code]["AMOUNT"]) / Decimal(rates[code]["AMOUNT_CNT"])

        return Decimal(str(deal["opportunity"])) * in_base(deal["currencyId"]) / in_base(report)


def _client(deal: Row) -> tuple[str, int] | None:
    if deal["companyId"]:
        return ("company", deal["companyId"])
    return ("contact", deal["contactId"]) if deal["contactId"] else None


def _channel(portal: Portal, row: Row) -> str:
    utm, source = row["utmSource"] or None, row["sourceId"] or None
    for both, by_utm in ((True, True), (False, True), (False, False)):
        for rule in portal["rules"]:
            wants_utm, wants_source = rule.get("utm_source"), rule.get("source_id")
            if both and (wants_utm, wants_source) == (utm, source) and utm and source:
                return str(rule["channel"])
            if not both and by_utm and wants_utm and not wants_source and wants_utm == utm:
                return str(rule["channel"])
            if not both and not by_utm and wants_source and not wants_utm and wants_source == source:
                return str(rule["channel"])
    names = {status["STATUS_ID"]: status["NAME"] for status in portal["sources"]}
    return str(utm or names.get(source) or "unknown")


def _in_cut(portal: Portal, row: Row, only: tuple[str, str] | None) -> bool:
    if only is None:
        return True
    by, key = only
    if by == "channel":
        return key == f"channel:{_channel(portal, row)}"
    if by == "pipeline":
        return key == f"pipeline:{row['categoryId']}"
    return key == f"stage:{row['categoryId']}:{row['stageId']}"


def _cut_keys(portal: Portal, metric: str, by: str) -> set[str]:
    """Every key that a row could have."""
    if by == "channel":
        return {f"channel:{_channel(portal, row)}" for row in portal["deals"] + portal["leads"]}
    if by == "pipeline":
        return {f"pipeline:{category['id']}" for category in portal["categories"]}
    return {f"stage:{deal['categoryId']}:{deal['stageId']}" for deal in portal["deals"]} | {
        f"stage:{row['CATEGORY_ID']}:{row['STAGE_ID']}" for row in portal["history"]
    }


def _piece(day: date, by: str) -> str:
    if by == "month":
        return f"{day:%Y-%m}"
    return str(day - timedelta(days=day.weekday() if by == "week" else 0))


def _scope(portal: Portal, scope: str) -> Callable[[Any], bool]:
    if scope == "company":
        return lambda owner: True
    people = _members(portal, scope)
    return lambda owner: owner in people


def _members(portal: Portal, scope: str) -> set[int]:
    kind, number = scope.split(":")
    if kind == "user":
        return {int(number)}
    below = set(_departments(portal, scope))
    return {user["ID"] for user in _staff(portal) if below & set(user["UF_DEPARTMENT"] or [])}


def _staff(portal: Portal) -> list[Row]:
    return [user for user in portal["users"] if user["USER_TYPE"] == "employee"]


def _departments(portal: Portal, scope: str) -> list[int]:
    """Ids under the scope: grow the set until nothing is added."""
    everything = {int(d["ID"]): int(d.get("PARENT") or 0) for d in portal["departments"]}
    if scope == "company":
        return list(everything)
    if scope.startswith("user"):
        return []
    found = {int(scope.split(":")[1])} & set(everything)
    while more := {d for d, parent in everything.items() if parent in found} - found:
        found |= more
    return list(found)
