"""The ids of a list that are still to be read, cut into pages that several requests may ask for at once.

A page is a range of ids, so it needs no page before it, and every row lies in exactly one. One that comes
back full is read down to its last row; what lies below is cut again. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from b24app.rest.calls import BATCH_SIZE
from b24app.rest.limits import PARALLEL
from b24app.rest.paging import PAGE_SIZE

FIRST_PAGES = 10
"""Pages of the first request while nobody knows how many ids of the range have a row."""

SPECULATION = 3
"""Pages asked for at once, for each that came back, where the rows may thin out any moment."""

FILL = 0.9
"""How full a page is meant to be where ids are missing: one too full costs another command for its rest."""

KEPT = 0.95
"""What each page leaves of the weight of those before it in the estimate of how dense the ids are."""

LEAST_PAGES = 15
"""The last pages are shared out among all who read, but a request is never smaller than this."""


def pages_each(left: int) -> int:
    """How many pages one request asks for when about so many are `left`."""
    return min(BATCH_SIZE, max(LEAST_PAGES, -(-left // PARALLEL)))


class Span(NamedTuple):
    """A range of ids, both ends included."""

    first: int
    last: int

    @property
    def width(self) -> int:
        return self.last - self.first + 1


class Outcome(NamedTuple):
    """What became of a page: how many rows it brought, and which ids of it are still unread."""

    page: Span
    rows: int
    rest: Span | None


class Lanes:
    """The unread ids of one list. Pages go out highest ids first; a page is unread until it is settled.

    `is_even`: rows are expected all over the range; else they may thin out any moment, and no more pages go
    out than those that have come back make likely.
    """

    def __init__(self, spans: Iterable[Span], *, is_even: bool) -> None:
        self._free = _joined(span for span in spans if span.width > 0)
        self._taken: list[Span] = []
        self._is_even = is_even
        self._settled = 0
        self._ids = self._rows = 0.0

    @property
    def is_done(self) -> bool:
        return not self._free and not self._taken

    def unread(self, settled: Sequence[Outcome] = ()) -> list[Span]:
        """What would have to be read by whoever goes on from here, once these pages are settled."""
        over = {one.page for one in settled}
        rests = [one.rest for one in settled if one.rest is not None]
        return _joined([*self._free, *rests, *(span for span in self._taken if span not in over)])

    def pages_left(self) -> int:
        """About how many pages have not gone out yet."""
        return sum(math.ceil(span.width / self._width()) for span in self._free)

    def take(self, most: int) -> list[Span]:
        """The next pages to ask for, at most so many; none while others must come back first."""
        most = min(most, self._allowed())
        pages: list[Span] = []
        while self._free and len(pages) < most:
            span = self._free.pop(0)
            count = math.ceil(span.width / self._width())
            width = math.ceil(span.width / count)
            last = span.last
            while last >= span.first and len(pages) < most:
                pages.append(Span(max(span.first, last - width + 1), last))
                last = pages[-1].first - 1
            if last >= span.first:
                self._free.insert(0, Span(span.first, last))
        self._taken += pages
        return pages

    def settle(self, outcomes: Iterable[Outcome]) -> None:
        """Notes what became of pages."""
        rests: list[Span] = []
        for page, rows, rest in outcomes:
            self._taken.remove(page)
            if rest is not None:
                rests.append(rest)
            self._settled += 1
            self._ids = self._ids * KEPT + page.width - (rest.width if rest else 0)
            self._rows = self._rows * KEPT + rows
        self._free = _joined([*self._free, *rests])

    def give_back(self, pages: Iterable[Span]) -> None:
        """Pages that brought nothing: they are to be asked for again."""
        given = list(pages)
        for page in given:
            self._taken.remove(page)
        self._free = _joined([*self._free, *given])

    def _allowed(self) -> int:
        if self._is_even or (not self._settled and self._width_left() <= PAGE_SIZE**2):
            return PAGE_SIZE
        return max(FIRST_PAGES, SPECULATION * self._settled) - len(self._taken)

    def _width_left(self) -> int:
        return sum(span.width for span in (*self._free, *self._taken))

    def _width(self) -> int:
        """Ids of a page: never fewer than rows fit into it."""
        if not self._ids:
            return PAGE_SIZE
        return max(PAGE_SIZE, int(FILL * PAGE_SIZE * self._ids / max(self._rows, 0.01)))


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The spans highest first, neighbours made one."""
    joined: list[Span] = []
    for span in sorted(spans, reverse=True):
        if joined and span.last + 1 == joined[-1].first:
            joined[-1] = Span(span.first, joined[-1].last)
        else:
            joined.append(span)
    return joined
