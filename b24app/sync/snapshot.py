"""Takes the present state of a portal's facts down, so that KPIs without a period have a trend.

It asks the portal nothing. What was taken earlier on the same local day is replaced: what stays is how the
day ended.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import update

from b24app import store
from b24app.store import snapshots
from b24app.store.company import load_company
from b24app.store.context import load_context
from b24app.store.portal import load_portal
from b24app.sync import claims, cursor, state
from b24app.sync.parts import Parts
from b24app.tables import sync_sources


def run(parts: Parts, portal_id: int, now: float) -> int:
    """How many rows were taken down; 0 where another process is at it or nothing is read yet.

    now: epoch seconds.
    """
    with claims.hold(parts.engine, portal_id, cursor.SNAPSHOT) as is_mine:
        if not is_mine:
            return 0
        with parts.engine.begin() as conn:
            store.lock(conn, portal_id)
            portal = load_portal(conn, portal_id)
            if portal is None:
                return 0  # removed a moment ago
            context = load_context(
                conn,
                portal,
                company=load_company(conn, portal_id, portal.reference_version),
                sync=state.load(conn, portal_id, portal),
                now=datetime.fromtimestamp(now, UTC),
            )
            taken = snapshots.take(conn, portal_id, context)
            store.bump(conn, portal_id)
            at = {"taken_at": now, "day": context.today.isoformat()}
            mine = (sync_sources.c.portal_id == portal_id, sync_sources.c.source == cursor.SNAPSHOT)
            conn.execute(update(sync_sources).where(*mine).values(cursor=at))
        return taken
