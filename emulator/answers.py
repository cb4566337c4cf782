"""What a REST method gives back: a result with its siblings, or an error with its code and status."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Result:
    """`total` and `next` stand beside `result` in the answer; None leaves them out."""

    value: Any
    total: int | None = None
    next: int | None = None
    rows: int = 0  # rows on this page, for the cost model
    counted: int = 0  # rows matched while counting the total, for the cost model


class PortalError(Exception):
    """A refusal as the portal words it."""

    def __init__(self, code: str | int, description: str = "", status: int = 400, **extra: Any) -> None:
        super().__init__(f"{status} {code}: {description}")
        self.code = code
        self.description = description
        self.status = status
        self.extra = extra

    def body(self) -> dict[str, Any]:
        return {"error": self.code, "error_description": self.description, **self.extra}


@dataclass(frozen=True)
class Wire:
    """Damage done to a reply on its way: see `faults`."""

    kind: str
    options: dict[str, Any] = field(default_factory=dict)


class Broken(Exception):
    """The reply must be replaced or damaged as `wire` says."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire.kind)
        self.wire = wire


def object_or_list(values: dict[str, Any]) -> Any:
    """The mapping, or `[]` when it is empty: PHP cannot tell an empty object from an empty list."""
    return values or []
