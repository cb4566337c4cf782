"""The first read of one list: window by window, several pieces of a window at the same time.

What a piece brings is stored together with the ids that are still unread, so whoever goes on after a kill
reads each of those and none of the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from b24app import clock, store, tables
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import NO_BUDGET, RateLimited, RestError
from b24app.rest.paging import PAGE_SIZE, Listing
from b24app.store import Writer, load_border
from b24app.sync import cursor, details, reference, trouble
from b24app.sync.lanes import Lanes, Outcome, Span, pages_each
from b24app.sync.parts import Parts
from b24app.sync.side_by_side import Paused, Piece, Tell
from b24app.sync.sources.deals import DEALS
from b24app.sync.sources.kinds import Details, LongList
from b24app.sync.sources.leads import LEADS
from b24app.sync.state import CHANGES
from b24app.sync.windows import Window, progress, windows

ROWS_PER_COMMAND = 50


class ListRead:
    """One list's first read as a work of `side_by_side`.

    `storing` is held while something is written: threads of one process wait for each other at a lock
    better than at the database.
    """

    def __init__(
        self,
        parts: Parts,
        portal_id: int,
        client: PortalClient,
        source: LongList,
        *,
        storing: threading.Lock,
        is_over: Callable[[], bool],
    ) -> None:
        self._parts = parts
        self._portal_id = portal_id
        self._client = client
        self._source = source
        self._storing = storing
        self._is_over = is_over
        self._state = threading.Lock()
        self._is_moving = False  # from one window to the next, in one thread
        self._lanes: Lanes | None = None
        self.is_done = False
        with parts.engine.connect() as conn:
            self._at = cursor.load(conn, portal_id, source.name)
            zone = ZoneInfo(self._at.get("zone") or load_border(conn, portal_id).zone.key)
        today = date.fromisoformat(self._at["today"])
        self._windows = windows(today, zone, may_lack_moments=source.may_lack_recency)

    @property
    def step(self) -> int:
        return int(self._at["step"])

    @property
    def is_awaited(self) -> bool:
        """The running month of deals and leads is what people look at first."""
        return self._source.comes_first and self.step == 0 and not self.is_done

    def pages_left(self) -> int:
        with self._state:
            if self._lanes is not None and self.step == len(self._windows) - 1:
                return self._lanes.pages_left()
            return 0 if self.is_done else -(-int(self._at.get("top") or 0) // PAGE_SIZE)

    def take(self, pages: int) -> Piece | None:
        with self._state:
            if self._is_moving or self.is_done:
                return None
            if self._lanes is None:
                self._is_moving = True
                return partial(self._guarded, self._move)
            taken = self._lanes.take(pages)
            return partial(self._guarded, self._read, self._lanes, taken) if taken else None

    def _guarded(self, piece: Callable[..., None], *arguments: Any) -> None:
        """Runs a piece; a list that cannot be read at all is done."""
        try:
            piece(*arguments)
        except RestError as error:
            if isinstance(error, RateLimited) and error.code == NO_BUDGET:
                raise Paused(error, time.monotonic() + error.retry_after_s) from error
            with self._storing, store.writing(self._parts.engine, self._portal_id) as writer:
                if trouble.off_reason(error) is None:
                    writer.set_source(self._source.name, error=trouble.label(error))
                else:
                    fail_list(writer, self._source, error)
                    writer.changed = True
            if trouble.off_reason(error) is None:
                raise
            self.is_done = True

    def _move(self, tell: Tell) -> None:
        """Reads the first pages of the next window, and of those after it while that was all of them."""
        try:
            while (lanes := self._open_next()) is not None:
                with self._state:
                    pages = lanes.take(pages_each(lanes.pages_left()))
                    self._lanes, self._is_moving = lanes, False
                tell()
                if not self._read_pages(lanes, pages) or not self._close() or self._is_over():
                    return
        finally:
            self._is_moving = False

    def _open_next(self) -> Lanes | None:
        """The next window that has anything to read; None after the last one, or when time is over."""
        while self.step < len(self._windows):
            lanes = self._open(self._windows[self.step])
            if not lanes.is_done:
                return lanes
            if not self._close():
                return None
        self.is_done = self._read_all_details()
        return None

    def _open(self, window: Window) -> Lanes:
        """The ids of the window that are unread."""
        if self._at.get("top") is None:
            answer = self._client.batch({"top": self._source.top()})["top"]
            if isinstance(answer, RestError):
                raise answer
            self._at["top"] = top_id(self._source, answer)
        if self._at.get("unread") is None:
            self._at["unread"] = self._range(window)
        is_even = window.since is None or self._source.recency_key == self._source.made_key
        return Lanes((Span(*span) for span in self._at["unread"]), is_even=is_even)

    def _range(self, window: Window) -> list[Span]:
        """The ids between the lowest and the highest one of the window."""
        top = int(self._at["top"])
        if window.is_of_all and self._has_all():
            return []
        if top <= BATCH_SIZE * PAGE_SIZE:
            return [Span(1, top)] if top else []
        if window.is_of_all:
            return [Span(1, top)]
        if "ends" not in self._at:
            self._at["ends"] = self._ask_ends()
        lowest, highest = self._at["ends"][self.step]
        return [Span(lowest, min(top, highest))] if lowest else []

    def _ask_ends(self) -> list[tuple[int, int]]:
        """The lowest and the highest id of every window that has moments; (0, 0): it has no rows.

        They hold until the list is read: what leaves a window or is new is read by `refresh`.
        """
        dated = [window for window in self._windows if not window.is_of_all]
        ids = [self._listing(window).ids_only() for window in dated]
        calls = {}
        for place, window in enumerate(dated):
            calls[place, "lowest"] = ids[place].page(beyond=None, bound=None, descending=False)
            if window.until is not None:
                calls[place, "highest"] = ids[place].page(beyond=None, bound=None, descending=True)
        answers = self._client.batch({f"{end}_{place}": call for (place, end), call in calls.items()})
        found: list[list[int]] = [[] for _ in dated]
        for (place, _), answer in zip(calls, answers.values(), strict=True):
            if isinstance(answer, RestError):
                raise answer
            found[place] += (
                row_id for row in ids[place].rows(answer) if (row_id := ids[place].id_of(row)) is not None
            )
        return [
            (min(of_window), max(of_window) if window.until is not None else int(self._at["top"]))
            if of_window
            else (0, 0)
            for window, of_window in zip(dated, found, strict=True)
        ]

    def _has_all(self) -> bool:
        """Whether the rows that have a moment are all that there are."""
        top = int(self._at["top"])
        key = self._source.base.filter_key or self._source.base.id_key
        answer = self._client.batch({"count": self._source.base.where({f"<{key}": top + 1}).count()})["count"]
        if isinstance(answer, RestError):
            raise answer
        with self._parts.engine.connect() as conn:
            stored = conn.execute(
                select(func.count())
                .select_from(self._source.table)
                .where(*self._source.stored(self._portal_id), self._source.id_column <= top)
            ).scalar_one()
        return answer.total is not None and answer.total <= stored

    def _listing(self, window: Window) -> Listing:
        return self._source.since(self._source.recency_key, window.since, window.until)

    def _read(self, lanes: Lanes, pages: Sequence[Span], tell: Tell) -> None:
        if not self._read_pages(lanes, pages):
            return
        try:
            goes_on = self._close() and not self._is_over()
        finally:
            self._is_moving = False
        if goes_on:
            with self._state:
                self._is_moving = True
            self._move(tell)

    def _read_pages(self, lanes: Lanes, pages: Sequence[Span]) -> bool:
        """Reads and stores pages. True: the window is read with them, and this thread is to close it."""
        try:
            rows, settled = self._ask(pages)
            with self._parts.engine.connect() as conn:
                border = load_border(conn, self._portal_id)
            facts = self._source.parsed(rows, border)
            with self._storing:
                with self._state:
                    unread = lanes.unread(settled)
                with store.writing(self._parts.engine, self._portal_id, border) as writer:
                    self._source.fill(writer, facts, self._gone(writer, self._source))
                    self._note(writer, unread)
                # Not before it is stored: the cursor of other pages must never run ahead of these rows.
                with self._state:
                    lanes.settle(settled)
                    over = {one.page for one in settled}
                    pages = [page for page in pages if page not in over]
                    self._at["unread"] = unread
        finally:
            with self._state:
                lanes.give_back(pages)
        with self._state:
            if lanes.is_done and self._lanes is lanes:
                self._lanes, self._is_moving = None, True
                return True
        return False

    def _ask(self, pages: Sequence[Span]) -> tuple[list[paging.Row], list[Outcome]]:
        """The rows of the pages, and what became of those that the portal answered."""
        listing = self._listing(self._windows[self.step])
        calls = {
            f"p{place}": listing.page(beyond=page.last + 1, bound=page.first - 1, descending=True)
            for place, page in enumerate(pages)
        }
        rows: list[paging.Row] = []
        settled: list[Outcome] = []
        errors: list[RestError] = []
        for page, answer in zip(pages, self._client.batch(calls).values(), strict=True):
            try:
                found, rest = page_rows(listing, page, answer)
            except RestError as error:
                errors.append(error)
                continue
            rows += found
            settled.append(Outcome(page, len(found), rest))
        if errors and not settled:
            raise errors[0]
        return rows, settled

    def _note(self, writer: Writer, unread: list[Span]) -> None:
        left = sum(span.width for span in unread)
        writer.set_source(
            self._source.name,
            cursor={**self._at, "unread": unread},
            error=None,
            read_at=clock.epoch(),
            progress=progress(self.step, left, int(self._at["top"])),
        )

    def _close(self) -> bool:
        """Notes that the window is read, with what belongs to it; False where the caller's time is over."""
        window = self._windows[self.step]
        if self._source is DEALS and window.since is not None:
            self._read_leads_of_won(window.since)
        at = {**self._at, "step": self.step + 1, "unread": None}
        steps = len(self._windows)
        known: dict[str, Any] = {"cursor": at, "error": None, "read_at": clock.epoch()}
        if at["step"] == steps:
            known |= {"state": "ready", "covered_from": None, "progress": 1.0}
        else:
            progress_ = progress(at["step"], None, int(self._at["top"]))
            known |= {"covered_from": window.covers_from, "progress": progress_}
        with self._storing, store.writing(self._parts.engine, self._portal_id) as writer:
            known["row_count"] = writer.count(self._source.table, *self._source.only)
            writer.set_source(self._source.name, **known)
            writer.changed = True  # more may now be said than before
        self._at = at
        if at["step"] < steps:
            return self._read_all_details()
        self.is_done = not self._source.details  # else they are what comes next
        return True

    def _read_all_details(self) -> bool:
        """Whether the details of all records read so far are read too."""
        covers_from = self._windows[self.step - 1].covers_from
        is_last = self.step == len(self._windows)
        return all(self._read_details(one, covers_from, is_last) for one in self._source.details)

    def _read_details(self, one: Details, covers_from: date, is_last: bool) -> bool:
        """Whether they are read, or cannot be read at all; else the caller's time is over."""
        with self._parts.engine.connect() as conn:
            if cursor.states(conn, self._portal_id).get(one.name) in ("ready", "off"):
                return True
        try:
            if not details.catch_up(self._parts, self._portal_id, self._client, one, is_over=self._is_over):
                return False
        except RestError as error:
            with self._storing, store.writing(self._parts.engine, self._portal_id) as writer:
                reference.fail_source(writer, one.name, error)
                writer.changed = True
            if trouble.off_reason(error) is None:
                raise
            return True
        known: dict[str, Any]
        if is_last:
            known = {"state": "ready", "covered_from": None, "progress": 1.0, "error": None}
            known["read_at"] = clock.epoch()
        else:
            known = {"covered_from": covers_from, "progress": progress(self.step, None, 0)}
        with self._storing, store.writing(self._parts.engine, self._portal_id) as writer:
            writer.set_source(one.name, **known)
            writer.changed = True
        return True

    def _read_leads_of_won(self, since: int) -> None:
        """Leads that the won deals of the window came from: processing time begins with them."""
        deal, lead = tables.deals.c, tables.leads.c
        with self._parts.engine.connect() as conn:
            border = load_border(conn, self._portal_id)
            missing = list(
                conn.execute(
                    select(deal.lead_id)
                    .where(
                        deal.portal_id == self._portal_id,
                        deal.semantics == "S",
                        deal.moved_at >= since,
                        deal.lead_id.is_not(None),
                        ~select(lead.lead_id)
                        .where(lead.portal_id == self._portal_id, lead.lead_id == deal.lead_id)
                        .exists(),
                    )
                    .distinct()
                ).scalars()
            )
        try:
            rows = read_by_id(self._client, LEADS, missing)
        except RestError as error:
            if trouble.off_reason(error) is None:
                raise
            return  # without leads, time is counted from the deal
        facts = LEADS.parsed(rows, border)
        with self._storing, store.writing(self._parts.engine, self._portal_id, border) as writer:
            LEADS.fill(writer, facts, self._gone(writer, LEADS))

    def _gone(self, writer: Writer, source: LongList) -> set[int]:
        """Ids of the source's records that were deleted in the portal while this read was under way."""
        deleted = cursor.load(writer.conn, self._portal_id, CHANGES).get("deleted", {})
        return set(deleted.get(source.of or source.name, ()))


def page_rows(
    listing: Listing, page: Span, answer: Reply | RestError
) -> tuple[list[paging.Row], Span | None]:
    """The rows of a page, each once, and which of its ids are still unread because it was full.

    Raises:
        RestError: the portal's, or GarbageAnswer where the rows are not those of the page.
    """
    if isinstance(answer, RestError):
        raise answer
    told = listing.rows(answer)
    rows = paging.checked(listing, told, beyond=page.last + 1, bound=page.first - 1, descending=True)
    if len(told) < PAGE_SIZE:
        return rows, None
    lowest = listing.id_of(rows[-1]) or page.first
    return rows, Span(page.first, lowest - 1) if lowest > page.first else None


def top_id(source: LongList, answer: Reply | RestError) -> int | None:
    """The highest id of a list; 0 where it is empty, None where the portal could not tell."""
    if isinstance(answer, RestError):
        return None
    return max((source.base.id_of(row) or 0 for row in source.base.rows(answer)), default=0)


def fail_list(writer: Writer, source: LongList, error: RestError) -> None:
    """Notes that a long list could not be read; where it is off, so are its details."""
    reference.fail_source(writer, source.name, error)
    if trouble.off_reason(error):
        for one in source.details:
            reference.fail_source(writer, one.name, error)


def read_by_id(client: PortalClient, source: LongList, ids: list[int]) -> list[paging.Row]:
    """The rows of these records, those that the reader may see. Raises: RestError."""
    calls = {
        f"ids_{start}": source.base.among(ids[start : start + ROWS_PER_COMMAND]).page(
            beyond=None, bound=None, descending=False
        )
        for start in range(0, len(ids), ROWS_PER_COMMAND)
    }
    found: list[paging.Row] = []
    for answer in client.batch(calls).values() if calls else ():
        if isinstance(answer, RestError):
            raise answer
        found += source.base.rows(answer)
    return found
