"""What the rules need to know of a portal besides its records. Values only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from b24app.metrics.channels import ChannelRule, channel_of
from b24app.metrics.coverage import Coverage
from b24app.metrics.metric import Reference
from b24app.metrics.money import Rates
from b24app.org import Org


@dataclass(frozen=True, slots=True)
class Context:
    """One portal at one moment. `categories`: the pipelines that count, None for all of them.

    `min_ratio`, `min_mean`: records behind a ratio or a mean below which a value rests on few data.
    """

    today: date
    org: Org = field(default_factory=Org)
    reference: Reference = field(default_factory=Reference)
    rates: Rates = field(default_factory=Rates)
    coverage: Coverage = field(default_factory=Coverage)
    categories: frozenset[int] | None = None
    channel_rules: Sequence[ChannelRule] = ()
    uses_leads: bool = True
    min_ratio: int = 10
    min_mean: int = 5

    def channel(self, utm_source: str | None, source_id: str | None) -> str:
        """The channel of a lead or deal with these fields."""
        return channel_of(utm_source, source_id, self.channel_rules, self.reference.source_names)
