"""Which marketing channel a lead or deal came through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

UNKNOWN = "unknown"


class ChannelRule(Protocol):
    """An admin's rule; at least one of the two fields is named."""

    @property
    def channel(self) -> str: ...
    @property
    def utm_source(self) -> str | None: ...
    @property
    def source_id(self) -> str | None: ...


def channel_of(
    utm_source: str | None,
    source_id: str | None,
    rules: Sequence[ChannelRule],
    source_names: Mapping[str, str],
) -> str:
    """The channel by the rules; without a rule `utm_source`, else the name of the source, else "unknown".

    A rule that names both fields goes before one for `utm_source`, that before one for `source_id`; among
    equals the first in the list decides.
    """
    place = deciding_rule(utm_source, source_id, rules)
    if place is not None:
        return rules[place].channel
    return (utm_source or "").strip() or source_names.get(source_id or "", "").strip() or UNKNOWN


def deciding_rule(utm_source: str | None, source_id: str | None, rules: Sequence[ChannelRule]) -> int | None:
    """The place of the rule that decides about these fields; None if no rule matches."""
    utm_source = (utm_source or "").strip() or None
    matching = [place for place, rule in enumerate(rules) if _matches(rule, utm_source, source_id or None)]
    # `min` keeps the first among equals
    return min(matching, key=lambda place: _rank(rules[place]), default=None)


def _matches(rule: ChannelRule, utm_source: str | None, source_id: str | None) -> bool:
    if not rule.utm_source and not rule.source_id:
        return False
    return (not rule.utm_source or rule.utm_source == utm_source) and (
        not rule.source_id or rule.source_id == source_id
    )


def _rank(rule: ChannelRule) -> int:
    if rule.utm_source:
        return 0 if rule.source_id else 1
    return 2
