"""Lists read to their end: keyset pages by id, chained 50 to a batch, each row once.

A chain is one list being read; several may share a batch. Its pages refer to the last row of the page
before (`$result[p0][items][49][id]`). A portal answers a reference that fails with nonsense instead of
an error, so every page's ids are checked before its rows are believed; what is not believed is asked
for again from the last id that was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from b24app.rest.calls import BATCH_SIZE, Call
from b24app.rest.decipher import Reply, to_int, to_map
from b24app.rest.errors import GarbageAnswer, RestError

PAGE_SIZE = 50
"""Rows of a full page; a shorter one is the last."""

FIRST_PAGES = 3
"""Pages of the first batch when nobody knows how many there are; then four times as many each time.

Pages beyond the end cost operating time like any other: a short list must not pay for fifty."""

Row = dict[str, Any]


class Batcher(Protocol):
    """What paging needs of a client."""

    def batch(self, calls: Mapping[str, Call]) -> dict[str, Reply | RestError]: ...


@dataclass(frozen=True, slots=True)
class Listing:
    """A list method that can be ordered by id and filtered by `>id`.

    `params` holds everything but order and paging. `rows_at` leads from the result to the rows.
    """

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    rows_at: tuple[str, ...] = ()
    id_key: str = "id"  # in a row
    filter_key: str = ""  # in the filter and order, where it differs from `id_key`
    filter_name: str = "filter"
    is_sorted_by_text: bool = False  # SORT and ORDER as two texts instead of a map
    sort_name: str = "sort"
    order_name: str = "order"
    among_operator: str = "@"  # before the key of a filter that holds a list

    def where(self, limits: Mapping[str, Any]) -> Self:
        """The same list, filtered further."""
        filter_ = {**self.params.get(self.filter_name, {}), **limits}
        return replace(self, params={**self.params, self.filter_name: filter_})

    def ids_only(self) -> Self:
        """The same list with nothing but ids in its rows, where the method lets one choose."""
        if "select" not in self.params:
            return self
        return replace(self, params={**self.params, "select": [self.filter_key or self.id_key]})

    def among(self, ids: Sequence[int]) -> Self:
        """The rows with these ids, at most a page of them."""
        return self.where({f"{self.among_operator}{self.filter_key or self.id_key}": list(ids)})

    def count(self) -> Call:
        """The call whose answer tells the number of rows."""
        return Call(self.method, {**self.ids_only().params, "start": 0})

    def page(
        self, *, beyond: int | str | None, bound: int | None, descending: bool, is_counted: bool = False
    ) -> Call:
        """The call for the rows after `beyond` in the direction of reading, up to `bound` (exclusive).

        `is_counted`: the answer tells how many there are, too; cheap for short lists only.
        """
        key = self.filter_key or self.id_key
        ahead, behind = ("<", ">") if descending else (">", "<")
        limits: dict[str, Any] = dict(self.params.get(self.filter_name, {}))
        if beyond is not None:
            limits[ahead + key] = beyond
        if bound is not None:
            limits[behind + key] = bound
        direction = "DESC" if descending else "ASC"
        order: dict[str, Any] = (
            {self.sort_name: key, self.order_name: direction}
            if self.is_sorted_by_text
            else {self.order_name: {key: direction}}
        )
        return Call(
            self.method, {**self.params, self.filter_name: limits, **order, "start": 0 if is_counted else -1}
        )

    def reference(self, name: str) -> str:
        """The id of the last row of the full page that the command `name` brings."""
        path = "".join(f"[{part}]" for part in (*self.rows_at, str(PAGE_SIZE - 1), self.id_key))
        return f"$result[{name}]{path}"

    def rows(self, reply: Reply) -> list[Row]:
        """The rows in an answer.

        Raises:
            GarbageAnswer: there is no list of rows where it should be.
        """
        return rows_at(reply.result, self.rows_at, self.method)

    def id_of(self, row: Row) -> int | None:
        """The id of a row, which portals write as a number or as text."""
        return to_int(row.get(self.id_key))


class Chain:
    """One list being read in one direction; knows where it stands.

    `last` is the last id that was read, what a cursor has to keep. `bound` is exclusive.
    """

    def __init__(
        self,
        listing: Listing,
        *,
        last: int | None = None,
        bound: int | None = None,
        descending: bool = False,
    ) -> None:
        self.listing = listing
        self.last = last
        self.bound = bound
        self.descending = descending
        self.is_done = False
        self._asked = 0

    def calls(self, prefix: str, pages: int) -> dict[str, Call]:
        """The commands for the next pages, named by the prefix; they must stay in one batch."""
        self._asked = pages
        beyond: int | str | None = self.last
        calls: dict[str, Call] = {}
        for number in range(pages):
            name = f"{prefix}_{number}"
            calls[name] = self.listing.page(beyond=beyond, bound=self.bound, descending=self.descending)
            beyond = self.listing.reference(name)
        return calls

    def take(self, prefix: str, outcome: Mapping[str, Reply | RestError]) -> list[Row]:
        """The rows that the batch brought, in order, each once; moves `last` and `is_done`.

        Raises:
            RestError: the very first page failed; nothing was read, `last` stands where it stood.
        """
        taken: list[Row] = []
        for number in range(self._asked):
            answer = outcome[f"{prefix}_{number}"]
            page = self._page(answer, is_literal=number == 0)
            if page is None:
                break
            rows, is_full = page
            taken += rows
            if rows:
                self.last = self.listing.id_of(rows[-1])
            if not is_full:
                self.is_done = True
                break
        return taken

    def _page(self, answer: Reply | RestError, *, is_literal: bool) -> tuple[list[Row], bool] | None:
        try:
            if isinstance(answer, RestError):
                raise answer
            rows = self.listing.rows(answer)
            kept = checked(self.listing, rows, beyond=self.last, bound=self.bound, descending=self.descending)
            return kept, len(rows) >= PAGE_SIZE
        except RestError:
            if is_literal:
                raise
            return None  # the next batch starts here with a number instead of a reference


def checked(
    listing: Listing, rows: list[Row], *, beyond: int | None, bound: int | None, descending: bool
) -> list[Row]:
    """The rows of a page asked for with these limits, each once.

    Raises:
        GarbageAnswer: a row without an id, or rows out of the asked range or order.
    """
    last = beyond
    kept: list[Row] = []
    for row in rows:
        row_id = listing.id_of(row)
        if row_id is None:
            raise _nonsense("a row without an id", listing)
        if last is not None and row_id == last and kept:
            continue  # a join in the portal's filter may repeat a row
        ahead = last is None or (row_id < last if descending else row_id > last)
        within = bound is None or (row_id > bound if descending else row_id < bound)
        if not ahead or not within:
            raise _nonsense("rows out of the asked range or order", listing)
        kept.append(row)
        last = row_id
    return kept


def read_all(
    client: Batcher,
    listing: Listing,
    *,
    after: int | None = None,
    before: int | None = None,
    descending: bool = False,
    first_pages: int = FIRST_PAGES,
) -> Iterator[list[Row]]:
    """The rows with `after` < id < `before`, a batch (up to 2,500 rows) at a time, in order of id.

    Raises:
        RestError: reading cannot go on; what was yielded until then is complete up to its last id.
    """
    chain = Chain(
        listing,
        last=before if descending else after,
        bound=after if descending else before,
        descending=descending,
    )
    pages = first_pages
    while not chain.is_done:
        rows = read_batch(client, [chain], pages)[0]
        if rows:
            yield rows
        # Where references are not followed, a short chain wastes less of the portal's time.
        is_whole = len(rows) >= pages * PAGE_SIZE
        pages = min(BATCH_SIZE, pages * 4) if is_whole else first_pages


def read_batch(client: Batcher, chains: Sequence[Chain], pages_each: int) -> list[list[Row]]:
    """The next pages of several lists in one request; for each of them the rows it brought.

    A list that is done is not asked again.

    Raises:
        ValueError: more commands than fit into one batch.
        RestError: a list's first page failed. Chains before it have moved on: take them one by one
            (`Chain.calls`, `Chain.take`) where one list's failure should not touch the others.
    """
    if pages_each * len(chains) > BATCH_SIZE:
        raise ValueError(f"{len(chains)} lists of {pages_each} pages do not fit into a batch")
    calls: dict[str, Call] = {}
    for index, chain in enumerate(chains):
        if not chain.is_done:
            calls.update(chain.calls(f"c{index}", pages_each))
    outcome = client.batch(calls) if calls else {}
    return [[] if chain.is_done else chain.take(f"c{index}", outcome) for index, chain in enumerate(chains)]


def read_offsets(
    client: Batcher, method: str, params: Mapping[str, Any] | None = None, rows_path: tuple[str, ...] = ()
) -> Iterator[list[Row]]:
    """All rows of a list that can only be paged by offset (department.get), a batch at a time.

    Where the first page tells the total the others share batches; else one page leads to the next.
    Rows that come and go meanwhile shift the pages: for short lists that are read anew each time.

    Raises:
        RestError: a page failed.
    """
    base = dict(params or {})
    first = _page_of(client, Call(method, {**base, "start": 0}))
    rows = rows_at(first.result, rows_path, method)
    yield rows
    start = first.next
    if start is None:
        return
    if first.total is not None and first.total > start >= PAGE_SIZE:
        offsets = range(start, first.total, PAGE_SIZE)
        calls = {f"o{offset}": Call(method, {**base, "start": offset}) for offset in offsets}
        for answer in client.batch(calls).values():
            yield rows_at(_reply(answer).result, rows_path, method)
        return
    reached = 0
    while start is not None and start > reached:
        reached = start
        page = _page_of(client, Call(method, {**base, "start": start}))
        yield rows_at(page.result, rows_path, method)
        start = page.next


def rows_at(result: Any, path: Sequence[str], method: str = "") -> list[Row]:
    """The rows at that place of a result; a list with gaps, which PHP writes as an object, too.

    Raises:
        GarbageAnswer: there are no rows.
    """
    for name in path:
        if result == []:
            return []
        if not isinstance(result, dict) or name not in result:
            raise GarbageAnswer("bad_page", "an answer without its list", status=200, method=method)
        result = result[name]
    rows = list(to_map(result).values())
    if not isinstance(result, dict | list) or not all(isinstance(row, dict) for row in rows):
        raise GarbageAnswer("bad_page", "an answer whose rows are none", status=200, method=method)
    return rows


def _nonsense(what: str, listing: Listing) -> GarbageAnswer:
    return GarbageAnswer("bad_page", what, status=200, method=listing.method)


def _page_of(client: Batcher, call: Call) -> Reply:
    return _reply(client.batch({"page": call})["page"])


def _reply(answer: Reply | RestError) -> Reply:
    if isinstance(answer, RestError):
        raise answer
    return answer
