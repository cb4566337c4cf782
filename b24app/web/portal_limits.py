"""What the portal's limits leave at this moment: requests at once, and operating time by method."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from b24app.bootstrap import Parts
from b24app.rest.limits import OPERATING_LIMIT_S, WINDOW_MINUTES, rate_of
from b24app.tables import portals
from b24app.web.moments import rfc3339


def limits_json(parts: Parts, conn: Connection, portal_id: int) -> dict[str, Any]:
    """`limits` of `GET /api/v1/sync`.

    `bucket` is null for a portal without a limit of requests. `requests`, and `used_s` of `methods`, are of
    the last `window_s` seconds. `is_shared`: the numbers are of all processes; else of the one that answers,
    and of what the portal told it. `methods` holds those that were used, most used first; `*` stands for all
    of a portal that refuses everything.
    """
    row = conn.execute(
        select(portals.c.domain, portals.c.license).where(portals.c.portal_id == portal_id)
    ).one()
    rate = rate_of(row.license)
    budget = parts.budgets.for_portal(row.domain, rate)
    level, used, blocked = budget.standing()
    return {
        "is_shared": parts.settings.redis_url is not None,
        "bucket": None
        if rate is None
        else {"used": round(level, 1), "capacity": rate.capacity, "per_second": rate.per_second},
        "requests": budget.requests(),
        "operating_limit_s": OPERATING_LIMIT_S,
        "window_s": WINDOW_MINUTES * 60,
        "methods": [
            {
                "method": method,
                "used_s": round(seconds, 1),
                "blocked_until": rfc3339(int(blocked[method])) if method in blocked else None,
            }
            for method, seconds in sorted(used.items(), key=lambda one: (-one[1], one[0]))
            if seconds > 0 or method in blocked
        ],
    }
