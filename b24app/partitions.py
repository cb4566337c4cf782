"""Tables cut by portal on PostgreSQL, where the engine asks for it: each new one is made of so many parts.

Every key begins with the portal, so a question for one portal goes to one part, and a part is small enough
to be kept in order. A table with a key of another kind (`portals`, by the portal's own name) stays whole.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, UniqueConstraint, event

OPTION = "b24app_partitions"
"""The execution option of a connection that says how many parts; none or 0: tables are not cut."""

KEY = "portal_id"


def names(table: str, parts: int) -> list[str]:
    """What the parts of a table are called."""
    return [f"{table}_p{number}" for number in range(parts)]


def _parts_of(table: Table, connection: Connection) -> int:
    if connection.dialect.name != "postgresql":
        return 0
    keys = [table.primary_key, *(one for one in table.constraints if isinstance(one, UniqueConstraint))]
    is_by_portal = all(KEY in key.columns for key in keys)
    return int(connection.get_execution_options().get(OPTION, 0)) if is_by_portal else 0


@event.listens_for(Table, "before_create")
def _cut(table: Table, connection: Connection, **_how: Any) -> None:
    is_cut = _parts_of(table, connection) > 0
    table.dialect_options["postgresql"]["partition_by"] = f"HASH ({KEY})" if is_cut else None


@event.listens_for(Table, "after_create")
def _add_parts(table: Table, connection: Connection, **_how: Any) -> None:
    parts = _parts_of(table, connection)
    quoted = connection.dialect.identifier_preparer.quote
    for number, name in enumerate(names(table.name, parts)):
        connection.exec_driver_sql(
            f"CREATE TABLE {quoted(name)} PARTITION OF {quoted(table.name)}"
            f" FOR VALUES WITH (MODULUS {parts}, REMAINDER {number})"
        )
