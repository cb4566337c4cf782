"""What columns of deals and stays hold because of other records: kept in step as those change.

A deal's first contact follows its lead, the first purchase of a client is known among all its deals, a stay
belongs to whom its deal belongs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, select, update

from b24app import tables
from b24app.db import chunks
from b24app.facts import deals
from b24app.store import kept_sums
from b24app.store.kept_sums import KeptSums


class Derived:
    """The derived columns of one open transaction; `changed`: whether any is different now."""

    def __init__(self, conn: Connection, portal_id: int, sums: KeptSums) -> None:
        self.conn = conn
        self.portal_id = portal_id
        self.sums = sums
        self.changed = False

    def lead_moments(self, lead_ids: Collection[int]) -> dict[int, int]:
        """When these leads were created."""
        lead = tables.leads.c
        found: dict[int, int] = {}
        for chunk in chunks(sorted(lead_ids)):
            rows = self.conn.execute(
                select(lead.lead_id, lead.created_at).where(
                    lead.portal_id == self.portal_id, lead.lead_id.in_(chunk)
                )
            )
            found.update((row.lead_id, row.created_at) for row in rows)
        return found

    def settle_first_contacts(self, lead_ids: Sequence[int]) -> None:
        """Makes the first contacts of the deals that came from these leads follow them."""
        deal, lead = tables.deals.c, tables.leads.c
        beside = and_(lead.portal_id == deal.portal_id, lead.lead_id == deal.lead_id)
        first = case((lead.created_at < deal.created_at, lead.created_at), else_=deal.created_at)
        other = []
        for chunk in chunks(lead_ids):
            rows = self.conn.execute(
                select(deal.deal_id, first)
                .select_from(tables.deals.outerjoin(tables.leads, beside))
                .where(
                    deal.portal_id == self.portal_id, deal.lead_id.in_(chunk), deal.first_contact_at != first
                )
            )
            other += [{"key": row[0], "value": row[1]} for row in rows]
        self.change(tables.deals.c.first_contact_at, other)

    def settle_first_purchases(self, clients: Collection[str | None]) -> None:
        """Marks the first won deal of each client, over all time and all pipelines, and no other."""
        deal = tables.deals.c
        other = []
        for chunk in chunks(sorted(client for client in clients if client is not None)):
            first = tables.deals.alias("first").c
            asked = (
                select(deal.client)
                .where(deal.portal_id == self.portal_id, deal.client.in_(chunk))
                .distinct()
                .subquery()
            )
            earliest = (
                select(first.deal_id)
                .where(
                    first.portal_id == self.portal_id,
                    first.client == asked.c.client,
                    first.semantics == "S",
                    first.is_recurring.is_(False),
                )
                .order_by(first.moved_at, first.deal_id)
                .limit(1)
                .correlate(asked)
                .scalar_subquery()
            )
            firsts = set(self.conn.execute(select(earliest).select_from(asked)).scalars()) - {None}
            marked = set(
                self.conn.execute(
                    select(deal.deal_id).where(
                        deal.portal_id == self.portal_id, deal.client.in_(chunk), deal.is_first
                    )
                ).scalars()
            )
            other += [{"key": key, "value": True} for key in sorted(firsts - marked)]
            other += [{"key": key, "value": False} for key in sorted(marked - firsts)]
        self.change(deal.is_first, other)

    def change(self, column: Any, values: Sequence[Mapping[str, Any]]) -> None:
        """Changes what follows from other facts in a column of deals; `values`: key, value."""
        if not values:
            return
        self.changed = True
        self.sums.before(kept_sums.OF_DEALS, [row["key"] for row in values])
        deal = tables.deals.c
        self.conn.execute(
            update(tables.deals)
            .where(deal.portal_id == self.portal_id, deal.deal_id == bindparam("key"))
            .values({column.name: bindparam("value")}),
            values,
        )

    def owners_of_stays(self, item_ids: Sequence[int]) -> dict[int, int]:
        """Whose the stays of these deals are; those of no stored deal, or of a template, are nobody's."""
        deal = tables.deals.c
        found: dict[int, int] = {}
        for chunk in chunks(item_ids):
            rows = self.conn.execute(
                select(deal.deal_id, deal.owner_id).where(
                    deal.portal_id == self.portal_id, deal.deal_id.in_(chunk), deal.is_recurring.is_(False)
                )
            )
            found.update((row.deal_id, row.owner_id) for row in rows)
        return found

    def give_stays(self, deal_ids: Sequence[int]) -> None:
        """Makes the stays of deals belong to whom the deals belong now."""
        deal, stay = tables.deals.c, tables.stage_stays.c
        owner = (
            select(deal.owner_id)
            .where(
                deal.portal_id == stay.portal_id, deal.deal_id == stay.item_id, deal.is_recurring.is_(False)
            )
            .scalar_subquery()
        )
        for chunk in chunks(deal_ids):
            self.conn.execute(
                update(tables.stage_stays)
                .where(
                    stay.portal_id == self.portal_id,
                    stay.entity_type_id == deals.ENTITY_TYPE_ID,
                    stay.item_id.in_(chunk),
                )
                .values(owner_id=owner)
            )
