"""Lists that the portal rewrites without notice (votes, time records): their latest rows, again and again."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import func, select

from b24app import clock
from b24app.rest import paging
from b24app.rest.errors import RestError
from b24app.sync.check import Check
from b24app.sync.sources.kinds import LongList, Outcome

EVERY_S = 600
LATEST_S = 31 * 86_400
LATEST_PAGES = 20
"""How far back such a reading goes at most; what is older is left to the nightly comparison."""


@dataclass
class Latest:
    """The latest rows of one such list, as they are being read."""

    source: LongList
    since: int
    top: int
    """The highest id that was stored before: what is newer cannot be missing."""
    rows: list[paging.Row] = field(default_factory=list)
    error: RestError | None = None
    pages: int = 0

    def __post_init__(self) -> None:
        self.prefix = f"latest_{self.source.name}"
        self.chain = paging.Chain(self.source.since(self.source.made_key, self.since), descending=True)

    @property
    def is_done(self) -> bool:
        return self.chain.is_done or self.error is not None or self.pages >= LATEST_PAGES

    def take(self, outcome: Outcome) -> None:
        """Adds what a batch brought."""
        if self.is_done:
            return
        try:
            rows = self.chain.take(self.prefix, outcome)
        except RestError as error:
            self.error = error
            return
        self.rows += rows
        self.pages += max(1, len(rows) // paging.PAGE_SIZE)


def overdue_s(check: Check) -> int:
    """Seconds since these lists should have been read again; below 0 while that has time."""
    return clock.epoch() - int(check.at.get("latest_at") or 0) - EVERY_S


def begin(check: Check) -> dict[str, Latest]:
    """The readings of this check, by list."""
    check.at["latest_at"] = clock.epoch()
    since = int(check.at["since"]) - LATEST_S
    return {
        source.name: Latest(source, since, _top(check, source))
        for source in check.lists
        if source.is_rewritten
        and check.states.get(source.name) == "ready"
        and source.name not in check.behind
    }


def compare(check: Check, one: Latest) -> None:
    """Stores the latest rows of a list; stored ones among them that the portal has no more are gone."""
    source = one.source
    if source.name in check.behind or not check.is_on(source):
        return
    if one.error is not None:
        check.fall_behind(source, one.error)
        return
    check.save(source, one.rows)
    found = {row_id for row in one.rows if (row_id := source.base.id_of(row)) is not None}
    conditions = [
        *source.stored(check.portal_id),
        source.made_column >= one.since,
        source.id_column <= one.top,
    ]
    if not one.chain.is_done:
        conditions.append(source.id_column >= min(found))
    with check.parts.engine.connect() as conn:
        stored = set(conn.execute(select(source.id_column).where(*conditions)).scalars())
    gone = stored - found
    if gone and check.sees_all_it_saw():
        check.noted.deleted[source.name] |= gone


def _top(check: Check, source: LongList) -> int:
    with check.parts.engine.connect() as conn:
        top = conn.execute(
            select(func.max(source.id_column)).where(*source.stored(check.portal_id))
        ).scalar_one()
    return int(top or 0)
