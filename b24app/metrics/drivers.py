"""Why the won amount changed: leads × conversion × average check, in parts that add up to it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from math import factorial, prod

LEADS, CONVERSION, DEALS, AVERAGE_CHECK = "leads", "conversion", "deals", "average_check"


@dataclass(frozen=True, slots=True)
class Sales:
    """What a period brought: leads that came in (None: not known), deals won, and their amount.

    Deals are those whose amount counts, so that deals × average check is the amount.
    """

    leads: Fraction | None
    deals: Fraction
    revenue: Fraction


@dataclass(frozen=True, slots=True)
class Driver:
    """One factor of the amount, then and now (None: it had no value), and its part of the change."""

    key: str
    before: Fraction | None
    now: Fraction | None
    effect: Fraction


def split(before: Sales, now: Sales) -> tuple[Driver, ...]:
    """The factors of the amount; their effects add up to `now.revenue - before.revenue` exactly.

    Leads, conversion and average check; where leads do not explain the deals (not known, or deals were won
    in a period without leads) the number of deals and the average check. A factor's effect is the mean of
    what changing it does over all orders of changing the factors one by one (the Shapley value), so it
    does not depend on an order that somebody chose.
    """
    keys = (
        (LEADS, CONVERSION, AVERAGE_CHECK)
        if _leads_explain(before) and _leads_explain(now)
        else (DEALS, AVERAGE_CHECK)
    )
    then, today = ([_factor(sales, key) for key in keys] for sales in (before, now))
    effects = _effects(*_filled(then, today))
    return tuple(Driver(*row) for row in zip(keys, then, today, effects, strict=True))


def rounded(parts: Sequence[Fraction], total: Fraction, places: int) -> list[Fraction]:
    """The parts rounded to decimal places, the largest one taking what is missing to the rounded total."""
    found = [round(part * 10**places) for part in parts]
    if found:
        largest = max(range(len(found)), key=lambda i: abs(found[i]))
        found[largest] += round(total * 10**places) - sum(found)
    return [Fraction(part, 10**places) for part in found]


def _leads_explain(sales: Sales) -> bool:
    return sales.leads is not None and (sales.leads > 0 or sales.deals == 0)


def _factor(sales: Sales, key: str) -> Fraction | None:
    leads, deals = sales.leads or Fraction(0), sales.deals
    if key == LEADS:
        return leads
    if key == CONVERSION:
        return deals / leads if leads else None
    if key == DEALS:
        return deals
    return sales.revenue / deals if deals else None


def _filled(
    then: Sequence[Fraction | None], today: Sequence[Fraction | None]
) -> tuple[list[Fraction], list[Fraction]]:
    """Both sides with a value for every factor: one that had none did not change."""
    pairs = [
        (a if a is not None else b or Fraction(0), b if b is not None else a or Fraction(0))
        for a, b in zip(then, today, strict=True)
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def _effects(then: Sequence[Fraction], today: Sequence[Fraction]) -> list[Fraction]:
    effects = [Fraction(0)] * len(then)
    for order in permutations(range(len(then))):
        mixed = list(then)
        for place in order:
            was = prod(mixed, start=Fraction(1))
            mixed[place] = today[place]
            effects[place] += prod(mixed, start=Fraction(1)) - was
    return [effect / factorial(len(then)) for effect in effects]
