"""How much of a portal has been read: what `/api/v1/sync` shows and what KPIs may claim."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, case, null, select

from b24app.store.portal import PortalRow, load_portal
from b24app.sync import cursor, sources
from b24app.tables import sync_sources

SOURCES = sources.NAMES
"""What is read of every portal, in the order in which people are shown it; what settings choose follows."""

WEIGHTS = {source.name: source.weight for source in sources.LONG} | {
    details.name: details.weight for details in sources.DETAILS
}
SHORT_WEIGHT = 0.1

CHANGES = "changes"
"""The bookkeeping row of the incremental read; not a source of its own."""


@dataclass(frozen=True, slots=True)
class SourceState:
    """Where one source stands."""

    source: str
    state: str = "pending"  # pending | reading | ready | off
    reason: str | None = None  # why it is off: missing_scope | source_off
    progress: float = 0.0  # 0..1 of the first read
    covered_from: date | None = None  # everything since this local day is read
    row_count: int = 0
    read_at: datetime | None = None  # last successful read, UTC
    error: str | None = None  # code of the last failure, None after a success


@dataclass(frozen=True, slots=True)
class Difference:
    """A month in which portal and store held different numbers of records."""

    source: str
    month: date | None  # its first day; None: all of time, where nothing was stored
    in_portal: int | None  # None: the portal did not tell
    stored: int
    repaired: int  # rows added or removed here


@dataclass(frozen=True, slots=True)
class Comparison:
    """The last nightly comparison with the portal."""

    at: datetime | None = None  # UTC; None: there was none yet
    is_whole: bool = False  # all lists were compared; the rest follows within hours
    error: str | None = None  # why it stopped, as a code
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncState:
    """Where a portal stands.

    `complete`: the first read is done and the reader may see everything.
    `progress`: 0..1 of the first read. `as_of`: the moment (UTC) whose state the facts show.
    `problems`: codes, worst first: unpaid, gone, uninstalled, token_dead, reader_not_admin,
    missing_scope:SOURCE, failing:SOURCE, and portal_failing:CODE while the portal as a whole cannot be asked.
    """

    complete: bool
    progress: float
    as_of: datetime | None
    sources: tuple[SourceState, ...]
    problems: tuple[str, ...] = ()
    comparison: Comparison = Comparison()

    @property
    def version(self) -> tuple[object, ...]:
        """Moves with what answers depend on, not when the portal was merely asked again."""
        standing = ((one.source, one.state, one.reason, one.covered_from) for one in self.sources)
        return (self.complete, round(self.progress, 2), *standing)

    def source(self, name: str) -> SourceState:
        """The state of one source of `SOURCES`. Raises: KeyError."""
        for found in self.sources:
            if found.source == name:
                return found
        raise KeyError(name)

    def covered_from(self, name: str) -> date | None:
        """The local day from which on the source is fully read: `date.min` for all of it, None for nothing.

        Stage history: the rows since that day. A stay that began before is known only when all is read.
        """
        found = self.source(name)
        if found.state == "ready":
            return date.min
        return None if found.state == "off" else found.covered_from

    def covers(self, name: str, day: date) -> bool:
        """Everything of the source since that local day is stored."""
        since = self.covered_from(name)
        return since is not None and since <= day

    def gap(self, name: str, day: date | None = None) -> str | None:
        """Why a number of this source since `day` (None: of all time) has no value yet; None if it has.

        missing_scope or source_off where the source is off, not_synced where it has not been read so far.
        """
        found = self.source(name)
        if found.state == "off":
            return found.reason or "source_off"
        return None if self.covers(name, day or date.min) else "not_synced"


_is_comparison = sync_sources.c.source == cursor.RECONCILE
_ROWS: Select[Any] = select(
    *(column for column in sync_sources.c if column.name != "cursor"),
    # How far each list is read can be much, and says nothing here.
    case((_is_comparison, sync_sources.c.cursor), else_=null()).label("cursor"),
).where(sync_sources.c.portal_id == bindparam("portal"))


def load(conn: Connection, portal_id: int, portal: PortalRow | None = None) -> SyncState:
    """Where the portal stands; an unknown portal has read nothing. `portal`: where it was just read."""
    portal = portal or load_portal(conn, portal_id)
    rows = {row.source: row for row in conn.execute(_ROWS, {"portal": portal_id}).all()}
    found = tuple(
        SourceState(
            source=name,
            state=rows[name].state,
            reason=rows[name].reason,
            progress=1.0 if rows[name].state == "ready" else rows[name].progress,
            covered_from=rows[name].covered_from,
            row_count=rows[name].row_count,
            read_at=_moment(_read_at(rows[name], rows.get(CHANGES))),
            error=rows[name].error,
        )
        if name in rows
        else SourceState(name)
        for name in (*SOURCES, *sorted(name for name in rows if sources.is_chosen(name)))
    )
    if portal is None:
        return SyncState(False, 0.0, None, found)
    expected = [source for source in found if source.state != "off"]
    problems = _problems(portal.state, portal.reader_dead, portal.reader_is_admin, found)
    changes_error = rows[CHANGES].error if CHANGES in rows else None
    if changes_error:
        problems += (f"portal_failing:{changes_error}",)
    return SyncState(
        complete=bool(expected)
        and all(source.state == "ready" for source in expected)
        and portal.reader_is_admin is not False,
        progress=_progress(expected),
        as_of=_moment(portal.checked_at),
        sources=found,
        problems=problems,
        comparison=_comparison(rows.get(cursor.RECONCILE)),
    )


def _read_at(row: Row[Any], changes: Row[Any] | None) -> int | None:
    """What every check reads is as fresh as the last one, unless there was trouble with it."""
    is_checked = row.source in sources.READ_ONCE or sources.is_chosen(row.source)
    if changes is None or not is_checked or row.state != "ready" or row.error:
        return row.read_at  # type: ignore[no-any-return]
    return max(row.read_at or 0, changes.read_at or 0) or None


def _comparison(row: Row[Any] | None) -> Comparison:
    at = {} if row is None else row.cursor or {}
    if row is None or "at" not in at:
        return Comparison()
    return Comparison(
        at=_moment(at["at"]),
        is_whole="compared" not in at,
        error=row.error,
        differences=tuple(
            Difference(
                source=one["source"],
                month=None if one["month"] is None else date.fromisoformat(f"{one['month']}-01"),
                in_portal=one["in_portal"],
                stored=one["stored"],
                repaired=one["repaired"],
            )
            for one in at.get("differences", ())
        ),
    )


def _progress(found: list[SourceState]) -> float:
    """The long reads weigh by what they take: history about three rows a deal."""
    weights = [WEIGHTS.get(source.source, SHORT_WEIGHT) for source in found]
    done = sum(weight * source.progress for weight, source in zip(weights, found, strict=True))
    return min(1.0, done / sum(weights)) if found else 0.0


def _problems(
    state: str, dead_reason: str | None, reader_is_admin: bool | None, found: tuple[SourceState, ...]
) -> tuple[str, ...]:
    problems: list[str] = []
    if state != "active":
        problems.append(state)
    if dead_reason:
        problems.append("token_dead")
    if reader_is_admin is False:
        problems.append("reader_not_admin")
    problems.extend(f"missing_scope:{s.source}" for s in found if s.reason == "missing_scope")
    problems.extend(f"failing:{s.source}" for s in found if s.error)
    return tuple(problems)


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)
