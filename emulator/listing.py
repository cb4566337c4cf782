"""One page of a list method: which rows, the total, the next offset."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from emulator.filters import Query
from emulator.world import Row, Rows

PAGE = 50


@dataclass(frozen=True)
class Page:
    rows: list[Row]
    total: int | None  # None: not counted
    next: int | None


def select_page(
    rows: Rows,
    query: Query,
    order: list[tuple[str, bool]],
    *,
    id_key: str,
    start: int,
    floors: bool = True,
    size: int = PAGE,
) -> Page:
    """The page from offset `start`; a negative one skips counting. `floors` cuts the offset to whole pages.

    Rows come by id ascending unless `order` says otherwise. Keyset pages (order by id, id bounds) touch only
    the rows they return and the ones that the filter drops between them.
    """
    by_id = not order or order[0][0] == id_key
    descending = bool(order) and order[0][1]
    matches = _matches(rows, query, id_key, descending=by_id and descending)
    if not by_id:
        matches = iter(_sorted(list(matches), order))
    if start < 0:
        return Page(list(islice(matches, size)), None, None)
    offset = start // size * size if floors else start
    if by_id and not query.tests and query.ids is None:
        total = rows.count_between(query.after, query.before)
        found = rows.page_between(query.after, query.before, offset, size, descending=descending)
    else:
        everything = list(matches)
        total = len(everything)
        found = everything[offset : offset + size]
    after = offset + size
    return Page(found, total, after if after < total else None)


def _matches(rows: Rows, query: Query, id_key: str, *, descending: bool) -> Iterator[Row]:
    tests = query.tests
    candidates = _candidates(rows, query, id_key, descending=descending)
    if not tests:
        return candidates
    if len(tests) == 1:
        return filter(tests[0], candidates)
    return (row for row in candidates if all(test(row) for test in tests))


def _candidates(rows: Rows, query: Query, id_key: str, *, descending: bool) -> Iterator[Row]:
    after, before = query.after, query.before
    ids = sorted(query.ids) if query.ids is not None else rows.narrowed(query.since, query.among)
    if ids is not None:
        first = 0 if after is None else bisect_right(ids, after)
        end = len(ids) if before is None else bisect_left(ids, before)
        for place in range(end - 1, first - 1, -1) if descending else range(first, end):
            row = rows.get(ids[place])
            if row is not None:
                yield row
    elif descending:
        for row in rows.reversed() if before is None else rows.before(before):
            if after is not None and row[id_key] <= after:
                return
            yield row
    else:
        for row in rows if after is None else rows.after(after):
            if before is not None and row[id_key] >= before:
                return
            yield row


def _sorted(rows: list[Row], order: list[tuple[str, bool]]) -> list[Row]:
    for key, descending in reversed(order):
        rows.sort(key=lambda row: _sort_key(row.get(key)), reverse=descending)
    return rows


def _sort_key(value: Any) -> tuple[bool, Any]:
    """Empty values first, as the database has them."""
    if isinstance(value, list):
        return bool(value), str(value)
    return value is not None, value if value is not None else 0
