"""Measures: the numbers that add up over employees and days. What each sums in SQL: `facts/measures.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Table(StrEnum):
    """A kind of record and the day that it is counted on; all measures of one are read in one go."""

    WON_LOST = "won_lost"  # deals by the day they were moved to their final stage
    COHORT = "cohort"  # deals by the day they were created
    OPEN = "open"  # deals in progress now; no day
    STAYS = "stays"  # stays of deals in a stage by the day they ended
    LEADS = "leads"  # leads by the day they were created


class Cut(StrEnum):
    """What sums can be kept apart by."""

    OWNER = "owner"
    DAY = "day"
    CATEGORY = "category"
    STAGE = "stage"
    REACHED = "reached"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Measure:
    """`is_money`: whole ten-thousandths of a currency; otherwise a count or seconds."""

    key: str
    table: Table
    is_money: bool = False


DEALS_WON = Measure("deals_won", Table.WON_LOST)
WON_AMOUNT = Measure("won_amount", Table.WON_LOST, is_money=True)
DEALS_LOST = Measure("deals_lost", Table.WON_LOST)
PROCESSED = Measure("processed", Table.WON_LOST)
"""Won deals whose time from the first contact is not negative."""
PROCESSING_SECONDS = Measure("processing_seconds", Table.WON_LOST)
PROCESSED_BACKWARDS = Measure("processed_backwards", Table.WON_LOST)
CLIENT_WON = Measure("client_won", Table.WON_LOST)
"""Won deals with a known client."""
REPEAT_WON = Measure("repeat_won", Table.WON_LOST)

COHORT_DEALS = Measure("cohort_deals", Table.COHORT)
COHORT_WON = Measure("cohort_won", Table.COHORT)
COHORT_OPEN = Measure("cohort_open", Table.COHORT)

OPEN_DEALS = Measure("open_deals", Table.OPEN)
OPEN_AMOUNT = Measure("open_amount", Table.OPEN, is_money=True)

STAYS = Measure("stays", Table.STAYS)
STAY_SECONDS = Measure("stay_seconds", Table.STAYS)
STAYS_BACKWARDS = Measure("stays_backwards", Table.STAYS)

LEADS_CREATED = Measure("leads_created", Table.LEADS)
LEADS_CONVERTED = Measure("leads_converted", Table.LEADS)

MEASURES = (
    DEALS_WON, WON_AMOUNT, DEALS_LOST, PROCESSED, PROCESSING_SECONDS, PROCESSED_BACKWARDS, CLIENT_WON,
    REPEAT_WON, COHORT_DEALS, COHORT_WON, COHORT_OPEN, OPEN_DEALS, OPEN_AMOUNT, STAYS, STAY_SECONDS,
    STAYS_BACKWARDS, LEADS_CREATED, LEADS_CONVERTED,
)  # fmt: skip
