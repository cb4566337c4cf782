"""Users, dismissed ones too. No event tells of changes."""

from __future__ import annotations

from collections.abc import Iterable

from b24app.facts import people
from b24app.facts.people import User
from b24app.rest import paging
from b24app.rest.calls import BATCH_SIZE
from b24app.rest.client import PortalClient
from b24app.store import Writer
from b24app.sync.sources.kinds import Outcome, ShortList, parsed
from b24app.sync.sources.pages import reply_of

LISTING = paging.Listing(
    "user.get",
    {"FILTER": {}, "select": list(people.USER_FIELDS)},
    id_key="ID",
    filter_name="FILTER",
    is_sorted_by_text=True,
)


UNCOUNTED_PAGES = 6
"""Asked for after the first one where the portal does not tell how many users it has."""


def _read(client: PortalClient, outcome: Outcome) -> list[User]:
    first = reply_of(outcome["users"])
    rows = LISTING.rows(first)
    if len(rows) >= paging.PAGE_SIZE:
        pages = -(-((first.total or 0) - len(rows)) // paging.PAGE_SIZE)
        pages = min(BATCH_SIZE, pages) if pages > 0 else UNCOUNTED_PAGES
        for more in paging.read_all(client, LISTING, after=LISTING.id_of(rows[-1]), first_pages=pages):
            rows += more
    return parsed(rows, people.parse_user, "users")


def _store(writer: Writer, facts: Iterable[User], sees_all: bool) -> None:
    writer.replace_users(facts, drop_missing=sees_all)


USERS = ShortList(
    name="users",
    calls={"users": LISTING.page(beyond=None, bound=None, descending=False, is_counted=True)},
    read=_read,
    store=_store,
)
