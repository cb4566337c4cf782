"""Marketing KPIs computed the plainest possible way; shares no code with the app. See `tests.oracle`.

A portal has besides `costs` and `campaigns`: the rows of their uploads.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from tests import oracle

Portal = dict[str, Any]
Row = dict[str, Any]

KEYS = ("cac", "engagement_rate", "click_rate", "site_visits", "channel_roi")


def value(portal: Portal, metric: str, scope: str, start: date, end: date, channel: str | None = None) -> Row:
    """value, numerator, denominator, as exact fractions."""
    days = {start + timedelta(days=n) for n in range((end - start).days)}
    results = [
        row
        for row in portal["campaigns"]
        if date.fromisoformat(row["date"]) in days
        and _tagged(portal, row, scope)
        and channel in (None, row["channel"])
    ]
    if metric == "site_visits":
        visits = Fraction(sum(row["visits"] for row in results))
        return {"value": visits if portal["campaigns"] else None, "numerator": None, "denominator": None}
    if metric in ("engagement_rate", "click_rate"):
        key = "opened" if metric == "engagement_rate" else "clicked"
        return _ratio(sum(row[key] for row in results), sum(row["delivered"] for row in results))
    spent: dict[str, Fraction] = {}
    for row in portal["costs"]:
        if _tagged(portal, row, scope) and channel in (None, row["channel"]):
            worth = _worth(portal, row["amount"], row["currency"])
            first, last = date.fromisoformat(row["from"]), date.fromisoformat(row["to"])
            own_days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
            shared = sum(1 for day in own_days if day in days)
            if worth is not None and shared:
                spent[row["channel"]] = spent.get(row["channel"], Fraction(0)) + worth * shared / len(
                    own_days
                )
    inside = oracle._scope(portal, scope)
    won = [
        deal
        for deal in portal["deals"]
        if deal["isRecurring"] != "Y"
        and deal["stageSemanticId"] == "S"
        and inside(deal["assignedById"])
        and (portal["pipelines"] is None or deal["categoryId"] in portal["pipelines"])
        and _day(portal, deal["movedTime"]) in days
        and channel in (None, oracle._channel(portal, deal))
    ]
    if metric == "cac":
        found = _ratio(sum(spent.values()), sum(1 for deal in won if _is_first(portal, deal)))
        return found if portal["costs"] else {**found, "value": None}
    profit = Fraction(0)
    for name, cost in spent.items():
        if cost:
            mine = [deal for deal in won if oracle._channel(portal, deal) == name]
            worths = [_worth(portal, deal["opportunity"], deal["currencyId"]) for deal in mine]
            profit += sum(worth for worth in worths if worth is not None) - cost
    return _ratio(profit, sum(spent.values()))


def rows(portal: Portal, metric: str, scope: str, start: date, end: date, by: str) -> dict[str, Row]:
    """The same for every part by the key of its row."""
    if by == "department":
        keys = [f"department:{number}" for number in oracle._departments(portal, scope)]
        return {key: value(portal, metric, key, start, end) for key in keys}
    if by == "channel":
        named = {row["channel"] for row in portal["costs"] + portal["campaigns"]}
        named |= {oracle._channel(portal, deal) for deal in portal["deals"]}
        return {f"channel:{name}": value(portal, metric, scope, start, end, name) for name in named}
    found = {}
    day = start
    while day < end:
        following = day + timedelta(days=1)
        while following < end and oracle._piece(following, by) == oracle._piece(day, by):
            following += timedelta(days=1)
        found[oracle._piece(day, by)] = value(portal, metric, scope, day, following)
        day = following
    return found


def _is_first(portal: Portal, deal: Row) -> bool:
    """Nobody of the client won earlier, in whatever pipeline."""
    client = oracle._client(deal)
    if client is None:
        return False
    moment = (datetime.fromisoformat(deal["movedTime"]), deal["id"])
    return not any(
        other["stageSemanticId"] == "S"
        and other["isRecurring"] != "Y"
        and oracle._client(other) == client
        and (datetime.fromisoformat(other["movedTime"]), other["id"]) < moment
        for other in portal["deals"]
    )


def _tagged(portal: Portal, row: Row, scope: str) -> bool:
    if scope == "company":
        return True
    return row.get("department") in oracle._departments(portal, scope)


def _worth(portal: Portal, amount: Any, currency: str) -> Fraction | None:
    rates = {
        row["CURRENCY"]: Fraction(row["AMOUNT"]) / int(row["AMOUNT_CNT"]) for row in portal["currencies"]
    }
    report = portal["report"] or next(r["CURRENCY"] for r in portal["currencies"] if r["BASE"] == "Y")
    return Fraction(str(amount)) * rates[currency] / rates[report] if currency in rates else None


def _day(portal: Portal, moment: str) -> date:
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(portal["timezone"])).date()


def _ratio(top: Any, bottom: Any) -> Row:
    top, bottom = Fraction(top), Fraction(bottom)
    return {"value": top / bottom if bottom else None, "numerator": top, "denominator": bottom}
