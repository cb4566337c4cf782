"""Places among colleagues. Pure; whose values may be shown is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from b24app.metrics.metric import Better


@dataclass(frozen=True, slots=True)
class Place:
    """`place` from 1; those who are alike share one. `of`: how many have a place."""

    place: int
    of: int


def places(better: Better, values: Mapping[int, Fraction]) -> dict[int, Place]:
    """The place of everybody who has a value; nobody has one where a KPI has no direction."""
    if better is Better.NEITHER:
        return {}
    goods = {user_id: _goodness(better, value) for user_id, value in values.items()}
    return {
        user_id: Place(1 + sum(other > good for other in goods.values()), len(goods))
        for user_id, good in goods.items()
    }


def _goodness(better: Better, value: Fraction) -> Fraction:
    if better is Better.NEAR_100:
        return -abs(value - 1)
    return value if better is Better.UP else -value
