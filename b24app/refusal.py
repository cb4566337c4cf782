"""Why parts of what somebody sent are not taken: a code for each, worded by whoever answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Why:
    """A reason. `code` names its text under `refused` in the translations, `values` what that fills in."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass
class PartsRefused(ValueError):
    """Raised with everything that is wrong: its path (`grants[0].user`) and why."""

    reasons: Mapping[str, Why]

    def __str__(self) -> str:
        return "; ".join(f"{name}: {why.code}" for name, why in self.reasons.items())
