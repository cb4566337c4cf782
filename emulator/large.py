"""Portals of any size that take little memory: records are made from their number when they are asked for.

The same size and the same moment always give the same portal, so what a reader found can be compared with it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from emulator import rows, seed
from emulator.world import Portal, Row, Rows

DAYS = 3 * 365
"""How long the portal has been in use."""

LEADS_PER_10_DEALS = 4
MOST_PEOPLE = 500
DEALS_PER_PERSON = 200
TEAM = 12
"""People of a department."""

LONGEST_STAY_S = 10 * 86_400
PIPELINES = (0, 1)
STEPS = (
    # stage without the pipeline's prefix, its semantic, TYPE_ID of the history row
    ("NEW", "P", rows.CREATED),
    ("PREPARATION", "P", rows.MOVED),
    ("PREPAYMENT_INVOICE", "P", rows.MOVED),
    ("EXECUTING", "P", rows.MOVED),
    ("WON", "S", rows.FINISHED),
    ("LOSE", "F", rows.FINISHED),
)
WON, LOST = 4, 5
CURRENCIES = ("RUB", "RUB", "RUB", "USD")
CHANNELS = ("google", "yandex", None, "newsletter", None)

_DEAL_BITS, _STEP_BITS = 28, 4


class Large:
    """What is in the portal. Deals and leads are numbered from 1 in order of creation, history rows in order
    of time; people are 2 and up, 1 is the admin.

    `deals`: how many; `now`: nothing is later; `people`: how many, by default some 200 deals for each.
    """

    def __init__(self, deals: int, now: datetime, people: int | None = None) -> None:
        if not 1 <= deals < 1 << _DEAL_BITS:
            raise ValueError(f"{deals} deals: between 1 and {(1 << _DEAL_BITS) - 1} are possible")
        self.deals = deals
        self.leads = max(1, deals * LEADS_PER_10_DEALS // 10)
        self.people = people or max(3, min(MOST_PEOPLE, deals // DEALS_PER_PERSON))
        self.clients = max(1, deals // 3)
        self.now = int(now.timestamp())
        self.since = self.now - DAYS * 86_400
        keys = (
            at << _DEAL_BITS + _STEP_BITS | deal << _STEP_BITS | step
            for deal in range(1, deals + 1)
            for at, step in self.path(deal)
        )
        self._history = array("q", sorted(keys))

    @property
    def history(self) -> int:
        """How many rows of stage history there are."""
        return len(self._history)

    def created(self, deal: int) -> int:
        """Epoch seconds."""
        return self.since + (deal - 1) * (self.now - self.since) // self.deals

    def path(self, deal: int) -> list[tuple[int, int]]:
        """(moment in epoch seconds, place in `STEPS`) of every stage that the deal has entered."""
        at, dice = self.created(deal), _mixed(deal, 1)
        path = [(at, 0)]
        for step in range(1, 1 + dice % WON):
            at += 3600 + _mixed(deal, 1 + step) % LONGEST_STAY_S
            if at > self.now:
                return path
            path.append((at, step))
        at += 3600 + _mixed(deal, 9) % LONGEST_STAY_S
        luck = dice // 8 % 100
        if luck < 95 and at <= self.now:
            path.append((at, WON if luck < 40 else LOST))
        return path

    def moved(self, deal: int) -> int:
        """When the deal entered its present stage, in epoch seconds."""
        return self.path(deal)[-1][0]

    def pipeline(self, deal: int) -> int:
        return PIPELINES[_mixed(deal, 2) % 10 >= 7]

    def owner(self, number: int) -> int:
        """Who has the deal or lead of this number."""
        return 2 + _mixed(number, 3) % self.people

    def amount(self, deal: int) -> tuple[Decimal, str]:
        """(amount, currency)"""
        dice = _mixed(deal, 4)
        return Decimal(100_00 + dice % 20_000_00) / 100, CURRENCIES[dice // 64 % len(CURRENCIES)]

    def deal(self, deal: int) -> Row:
        """A row of `crm.item.list`."""
        at, step = self.path(deal)[-1]
        stage, semantic, _ = STEPS[step]
        category, (amount, currency) = self.pipeline(deal), self.amount(deal)
        moved, dice = _moment(at), _mixed(deal, 5)
        is_company = dice % 3 == 0
        client = 1 + dice // 4 % self.clients
        return {
            "id": deal,
            "title": f"Deal {deal}",
            "createdTime": _moment(self.created(deal)),
            "updatedTime": moved,
            "movedTime": moved,
            "lastActivityTime": moved,
            "assignedById": self.owner(deal),
            "categoryId": category,
            "stageId": rows.stage_id(category, stage),
            "stageSemanticId": semantic,
            "closed": semantic != "P",
            "opportunity": amount,
            "currencyId": currency,
            "isRecurring": False,
            "companyId": client if is_company else None,
            "contactId": None if is_company else client,
            "leadId": 1 + (deal - 1) * self.leads // self.deals if dice % 10 < 4 else None,
            "sourceId": "WEB" if dice % 2 else "CALL",
            "utmSource": CHANNELS[dice % len(CHANNELS)],
        }

    def lead_created(self, lead: int) -> int:
        """Epoch seconds."""
        return self.since + (lead - 1) * (self.now - self.since) // self.leads

    def lead_moved(self, lead: int) -> int:
        """Epoch seconds; the moment of creation while nobody has looked at the lead."""
        created = self.lead_created(lead)
        moved = created + 600 + _mixed(lead, 7) % 86_400
        return moved if moved <= self.now else created

    def lead(self, lead: int) -> Row:
        """A row of `crm.item.list`."""
        dice = _mixed(lead, 6)
        created, moved = self.lead_created(lead), self.lead_moved(lead)
        stage, semantic = (("CONVERTED", "S"), ("JUNK", "F"), ("IN_PROCESS", "P"))[dice // 8 % 3]
        if moved == created:
            stage, semantic = "NEW", "P"
        return {
            "id": lead,
            "title": f"Lead {lead}",
            "createdTime": _moment(created),
            "updatedTime": _moment(moved),
            "movedTime": _moment(moved),
            "assignedById": self.owner(lead),
            "stageId": stage,
            "stageSemanticId": semantic,
            "sourceId": "WEB" if dice % 2 else "CALL",
            "utmSource": CHANNELS[dice % len(CHANNELS)],
        }

    def history_row(self, number: int) -> Row:
        """A row of `crm.stagehistory.list` of deals."""
        key = self._history[number - 1]
        deal = key >> _STEP_BITS & (1 << _DEAL_BITS) - 1
        stage, semantic, type_id = STEPS[key & (1 << _STEP_BITS) - 1]
        category, at = self.pipeline(deal), _moment(key >> _DEAL_BITS + _STEP_BITS)
        row = rows.stay(rows.DEAL, deal, type_id, at, rows.stage_id(category, stage), semantic, category)
        return {"ID": number, **row}

    def entered(self, number: int) -> int:
        """The moment of a history row in epoch seconds."""
        return self._history[number - 1] >> _DEAL_BITS + _STEP_BITS


def fill(portal: Portal, deals: int, now: datetime) -> Large:
    """Give a portal with the stock records this many deals, and what belongs to them; replaces what it has.

    Nothing is later than `now`.
    """
    large = _large(deals, int(now.timestamp()))
    with portal.lock:
        _add_reference(portal, large)
        made = {
            "deal": MadeRows(
                large.deals,
                large.deal,
                {"createdTime": large.created, "movedTime": large.moved, "updatedTime": large.moved},
            ),
            "lead": MadeRows(
                large.leads,
                large.lead,
                {
                    "createdTime": large.lead_created,
                    "movedTime": large.lead_moved,
                    "updatedTime": large.lead_moved,
                },
            ),
            "stage_history": MadeRows(
                large.history,
                large.history_row,
                {"CREATED_TIME": large.entered},
                same={"ENTITY_TYPE_ID": rows.DEAL},
            ),
        }
        for kind, found in made.items():
            found.make_indexes()
            portal.records[kind] = found
            portal.last_ids[kind] = len(found)
            portal.versions[kind] += 1
    return large


class MadeRows(Rows):
    """Records 1 to `count`, made by `make` when they are asked for; changed ones are kept.

    `epochs`: for moments that are known without making the record; `same`: values that all records have.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[int], Row],
        epochs: Mapping[str, Callable[[int], int]] | None = None,
        *,
        same: Mapping[str, Any] | None = None,
    ) -> None:
        self._changed: dict[int, Row] = {}
        self._epoch_of = epochs or {}
        self._same = dict(same or {})
        super().__init__(_Made(count, make, self._changed), array("q", range(1, count + 1)))

    def all_have(self, name: str, value: Any) -> bool:
        known = self._same.get(name, self)
        return known == value and all(row.get(name) == value for row in self._changed.values())

    def make_indexes(self) -> None:
        """Make the indexes of the known moments, so that nobody waits for them later."""
        for name in self._epoch_of:
            self.moments(name)

    def _epochs(self, name: str) -> Iterator[tuple[float, int]]:
        epoch_of = self._epoch_of.get(name)
        if epoch_of is None or self._changed:
            return super()._epochs(name)
        return ((float(epoch_of(row_id)), row_id) for row_id in self._ids)


class _Made(MutableMapping[int, Row]):
    """Rows by number: changed and added ones as they were stored, removed ones not at all, others made."""

    def __init__(self, count: int, make: Callable[[int], Row], changed: dict[int, Row]) -> None:
        self._count, self._make, self._changed = count, make, changed
        self._gone: set[int] = set()

    def __getitem__(self, row_id: int) -> Row:
        changed = self._changed.get(row_id)
        if changed is not None:
            return changed
        if not 1 <= row_id <= self._count or row_id in self._gone:
            raise KeyError(row_id)
        return self._make(row_id)

    def __setitem__(self, row_id: int, row: Row) -> None:
        self._changed[row_id] = row
        self._gone.discard(row_id)

    def __delitem__(self, row_id: int) -> None:
        self[row_id]
        self._changed.pop(row_id, None)
        self._gone.add(row_id)

    def __iter__(self) -> Iterator[int]:
        yield from (row_id for row_id in range(1, self._count + 1) if row_id not in self._gone)
        yield from (row_id for row_id in list(self._changed) if row_id > self._count)

    def __len__(self) -> int:
        added = sum(row_id > self._count for row_id in self._changed)
        return self._count + added - sum(row_id <= self._count for row_id in self._gone)


@lru_cache(maxsize=4)
def _large(deals: int, now: int) -> Large:
    """Portals of the same size share what is kept of it."""
    return Large(deals, datetime.fromtimestamp(now, UTC))


def _add_reference(portal: Portal, large: Large) -> None:
    """People in departments of a dozen, a second pipeline, a second currency."""
    hired = _moment(large.since).date()
    for place in range((large.people + TEAM - 1) // TEAM):
        seed.add_department(portal, f"Team {place + 1}", parent_id=1, head_id=2 + place * TEAM)
    first = portal.last_ids["department"] - (large.people + TEAM - 1) // TEAM + 1
    for place in range(large.people):
        seed.add_user(
            portal,
            f"Name{place + 2}",
            f"Surname{place + 2}",
            departments=[first + place // TEAM],
            ID=place + 2,
            UF_EMPLOYMENT_DATE=hired - timedelta(days=place),
        )
    seed.add_pipeline(portal, "Service", category_id=PIPELINES[1])
    seed.add_currency(portal, "USD", amount="80")


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _mixed(number: int, salt: int) -> int:
    """32 bits that look like chance and are always the same."""
    bits = (number * 0x9E3779B1 + salt * 0x85EBCA77) & 0xFFFFFFFF
    bits = ((bits ^ bits >> 15) * 0x2C1B3C6D) & 0xFFFFFFFF
    return bits ^ bits >> 12
