"""What the rules need to know of a portal besides its records. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from b24app.metrics.channels import ChannelRule, channel_of
from b24app.metrics.coverage import Coverage
from b24app.metrics.metric import Reference, Ways
from b24app.metrics.money import Rates
from b24app.metrics.plans import Planning
from b24app.org import Org


@dataclass(frozen=True, slots=True)
class Context:
    """One portal at one moment. `categories`, `projects`: pipelines and projects that count, None for all.

    `now`: epoch seconds; `today`: the portal's local day of it.
    `min_ratio`, `min_mean`: records behind a ratio or a mean below which a value rests on few data.
    """

    today: date
    now: int = 0
    org: Org = field(default_factory=Org)
    reference: Reference = field(default_factory=Reference)
    rates: Rates = field(default_factory=Rates)
    coverage: Coverage = field(default_factory=Coverage)
    categories: frozenset[int] | None = None
    projects: frozenset[int] | None = None
    channel_rules: Sequence[ChannelRule] = ()
    uses_leads: bool = True
    has_money_budget: bool = False
    min_ratio: int = 10
    min_mean: int = 5
    planning: Planning = field(default_factory=Planning)

    @property
    def ways(self) -> Ways:
        """How this portal works."""
        return Ways(self.uses_leads, self.has_money_budget)

    def channel(self, utm_source: str | None, source_id: str | None) -> str:
        """The channel of a lead or deal with these fields."""
        return channel_of(utm_source, source_id, self.channel_rules, self.reference.source_names)
