"""Tickets: the items of every entity type that has a help desk, and the stage history of each ticket.

Items of a smart process are read whatever their pipeline, so that one that leaves the help desk is seen to.
Of deals, which are many, only those of the help desk are read; the list of all deals tells which ones left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from b24app import tables
from b24app.facts import deals, stages, tickets
from b24app.facts.tickets import Desk
from b24app.rest.calls import Call
from b24app.rest.decipher import Reply
from b24app.rest.paging import Listing, rows_at
from b24app.store import Writer, load_border
from b24app.sync.sources.kinds import Details, LongList, Waiting

NAME = "tickets"
"""What the names of these lists begin with; the entity type follows."""

HISTORY = "crm.stagehistory.list"


def name_of(entity_type_id: int) -> str:
    """The name of the list of these items."""
    return f"{NAME}_{entity_type_id}"


def history_name_of(entity_type_id: int) -> str:
    """The name of the source of their stage histories."""
    return f"{name_of(entity_type_id)}_history"


def lists_of(desks: Iterable[Desk]) -> tuple[LongList, ...]:
    """The lists of the chosen help desks, one for each entity type."""
    by_type: dict[int, list[Desk]] = {}
    for desk in desks:
        by_type.setdefault(desk.entity_type_id, []).append(desk)
    return tuple(_list_of(entity_type_id, found) for entity_type_id, found in sorted(by_type.items()))


def _list_of(entity_type_id: int, desks: list[Desk]) -> LongList:
    params: dict[str, Any] = {"entityTypeId": entity_type_id, "select": list(tickets.fields(desks))}
    if tickets.has_original_names(desks):
        params["useOriginalUfNames"] = "Y"
    is_deal = entity_type_id == deals.ENTITY_TYPE_ID
    if is_deal:
        params["filter"] = {"@categoryId": sorted({desk.category_id for desk in desks})}
    return LongList(
        name=name_of(entity_type_id),
        base=Listing("crm.item.list", params, ("items",)),
        recency_key="movedTime",
        made_key="createdTime",
        changed_key="updatedTime",
        event=None if is_deal else "ONCRMDYNAMICITEM",
        entity_type_id=None if is_deal else entity_type_id,
        may_lack_recency=True,
        table=tables.tickets,
        only=(tables.tickets.c.entity_type_id == entity_type_id,),
        id_column=tables.tickets.c.item_id,
        made_column=tables.tickets.c.created_at,
        parse=lambda row, border: tickets.parse(row, border, entity_type_id, desks),
        save=Writer.save_tickets,
        fill=Writer.fill_tickets,
        delete=lambda writer, ids: writer.delete_tickets(entity_type_id, ids),
        details=(_history_of(entity_type_id),),
    )


def _history_of(entity_type_id: int) -> Details:
    """The stage histories of the tickets of one entity type."""

    def is_waiting(portal_id: int) -> tuple[ColumnElement[bool], ...]:
        ticket = tables.tickets.c
        return (
            ticket.portal_id == portal_id,
            ticket.entity_type_id == entity_type_id,
            ticket.is_waiting.is_(True),
        )

    def waiting(conn: Connection, portal_id: int, limit: int, without: frozenset[int]) -> list[Waiting]:
        ticket = tables.tickets.c
        found = conn.execute(
            select(ticket.item_id, ticket.moved_at)
            .where(*is_waiting(portal_id), ticket.item_id.not_in(sorted(without)))
            .order_by(ticket.moved_at.desc(), ticket.item_id.desc())
            .limit(limit)
        )
        return [Waiting(*row) for row in found]

    def count(conn: Connection, portal_id: int) -> int:
        counted = select(func.count()).select_from(tables.tickets).where(*is_waiting(portal_id))
        return int(conn.execute(counted).scalar_one())

    def known(conn: Connection, portal_id: int) -> int:
        ticket = tables.tickets.c
        counted = select(func.count()).where(
            ticket.portal_id == portal_id,
            ticket.entity_type_id == entity_type_id,
            ticket.is_read.is_(True),
        )
        return int(conn.execute(counted).scalar_one())

    def call(item_id: int) -> Call:
        return Call(
            HISTORY,
            {
                "entityTypeId": entity_type_id,
                "select": list(stages.FIELDS),
                "filter": {"OWNER_ID": item_id},
                "order": {"ID": "ASC"},
                "start": -1,
            },
        )

    def store(writer: Writer, answers: Mapping[Waiting, Reply]) -> None:
        border = load_border(writer.conn, writer.portal_id)
        writer.save_courses(
            entity_type_id,
            {
                (one.record_id, one.version): tickets.course(
                    rows_at(answer.result, ("items",), HISTORY), border, entity_type_id
                )
                for one, answer in answers.items()
            },
        )

    return Details(
        name=history_name_of(entity_type_id),
        waiting=waiting,
        count=count,
        call=call,
        store=store,
        known=known,
    )
