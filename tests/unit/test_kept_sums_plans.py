"""A change of a few records looks at these alone, however many are stored and without any statistics."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import event

from b24app import store, tables
from b24app.db import open_engine
from benchmarks.filling import fill
from emulator.large import Large


def test_sums_before_a_change_are_found_by_the_ids_of_what_changes(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'plans.db'}")
    tables.metadata.create_all(engine)
    fill(engine, 1, Large(200, datetime(2026, 11, 26, 12, tzinfo=UTC), people=20), analyze=False)
    asked: list[tuple[str, Any]] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if "GROUP BY" in statement and not statement.startswith("EXPLAIN"):
            asked.append((statement, parameters))

    with store.writing(engine, 1) as writer:
        writer.delete_deals([3, 5])
        writer.delete_leads([7])
    assert len(asked) >= 8
    with engine.connect() as conn:
        for statement, parameters in asked:
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            first = plan[0].detail
            assert any(f"{key}=?" in first for key in ("deal_id", "item_id", "lead_id")), first
    engine.dispose()
