"""The long lists: deals, leads and the stage history of deals. How each is asked for, parsed and stored."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from b24app.facts import deals, leads, stages
from b24app.facts.store import Writer
from b24app.facts.tables import deals as deals_table
from b24app.facts.tables import leads as leads_table
from b24app.facts.tables import stage_stays
from b24app.facts.values import BadRow, Border, iso
from b24app.rest.paging import Listing, Row

logger = logging.getLogger(__name__)

Filter = Mapping[str, Any]
ROWS_PER_COMMAND = 50


@dataclass(frozen=True)
class Source:
    """One long list. `fill` stores rows of a long read, `save` rows that were just read."""

    name: str
    method: str
    params: Mapping[str, Any]
    id_key: str
    recency_key: str
    """The moment by which the running month is found."""
    made_key: str
    """The moment of creation, by which records are counted."""
    table: Any
    id_column: Any
    made_column: Any
    parse: Callable[[Row, Border], Any]
    save: Callable[[Writer, Iterable[Any]], None]
    fill: Callable[[Writer, Iterable[Any], set[int]], None]
    delete: Callable[[Writer, set[int]], None]

    def listing(self, filter: Filter | None = None) -> Listing:
        """The list, filtered."""
        return Listing(self.method, {**self.params, "filter": dict(filter or {})}, ("items",), self.id_key)

    def since(self, key: str, since: int | None, until: int | None = None) -> dict[str, str]:
        """A filter by moments, `until` exclusive."""
        limits: dict[str, str] = {}
        if since is not None:
            limits[f">={key}"] = iso(since)
        if until is not None:
            limits[f"<{key}"] = iso(until)
        return limits

    def parsed(self, rows: Iterable[Row], border: Border) -> list[Any]:
        """The facts in the rows; a row that is none is left out and logged."""
        facts: list[Any] = []
        for row in rows:
            try:
                facts.append(self.parse(row, border))
            except BadRow as error:
                logger.warning("a row of %s is left out: %s", self.name, error)
        return facts


DEALS = Source(
    name="deals",
    method="crm.item.list",
    params={"entityTypeId": deals.ENTITY_TYPE_ID, "select": list(deals.FIELDS)},
    id_key="id",
    recency_key="movedTime",
    made_key="createdTime",
    table=deals_table,
    id_column=deals_table.c.deal_id,
    made_column=deals_table.c.created_at,
    parse=deals.parse,
    save=Writer.save_deals,
    fill=Writer.fill_deals,
    delete=Writer.delete_deals,
)

LEADS = Source(
    name="leads",
    method="crm.item.list",
    params={"entityTypeId": leads.ENTITY_TYPE_ID, "select": list(leads.FIELDS)},
    id_key="id",
    recency_key="createdTime",
    made_key="createdTime",
    table=leads_table,
    id_column=leads_table.c.lead_id,
    made_column=leads_table.c.created_at,
    parse=leads.parse,
    save=Writer.save_leads,
    fill=Writer.fill_leads,
    delete=Writer.delete_leads,
)

HISTORY = Source(
    name="stage_history",
    method="crm.stagehistory.list",
    params={"entityTypeId": deals.ENTITY_TYPE_ID, "select": list(stages.FIELDS)},
    id_key="ID",
    recency_key="CREATED_TIME",
    made_key="CREATED_TIME",
    table=stage_stays,
    id_column=stage_stays.c.history_id,
    made_column=stage_stays.c.entered_at,
    parse=stages.parse,
    save=Writer.save_entries,
    fill=lambda writer, entries, skip: writer.save_entries(e for e in entries if e.item_id not in skip),
    delete=Writer.delete_entries,
)

ALL = (DEALS, LEADS, HISTORY)
BY_NAME = {source.name: source for source in ALL}
