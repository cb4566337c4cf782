"""Other readers of Bitrix24 read the same lists, one process each: `-m benchmarks.peers NAME WEBHOOK FILE`.

Each in the way that its own documentation calls its fastest for long lists. The file says, after each list,
how many rows came and how many of them were different ones.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

DEAL_FIELDS = (
    "id", "assignedById", "categoryId", "stageId", "stageSemanticId", "opportunity", "currencyId",
    "createdTime", "movedTime", "updatedTime", "isRecurring", "leadId", "companyId", "contactId", "sourceId",
    "utmSource", "lastActivityTime",
)  # fmt: skip
LEAD_FIELDS = (
    "id", "assignedById", "stageId", "stageSemanticId", "createdTime", "movedTime", "updatedTime",
    "companyId", "contactId", "sourceId", "utmSource",
)  # fmt: skip
HISTORY_FIELDS = ("ID", "TYPE_ID", "OWNER_ID", "CREATED_TIME", "CATEGORY_ID", "STAGE_ID", "STAGE_SEMANTIC_ID")
OLD_DEAL_FIELDS = (
    "ID", "ASSIGNED_BY_ID", "CATEGORY_ID", "STAGE_ID", "STAGE_SEMANTIC_ID", "OPPORTUNITY", "CURRENCY_ID",
    "DATE_CREATE", "MOVED_TIME", "DATE_MODIFY", "IS_RECURRING", "LEAD_ID", "COMPANY_ID", "CONTACT_ID",
    "SOURCE_ID", "UTM_SOURCE", "LAST_ACTIVITY_TIME",
)  # fmt: skip
OLD_LEAD_FIELDS = (
    "ID", "ASSIGNED_BY_ID", "STATUS_ID", "STATUS_SEMANTIC_ID", "DATE_CREATE", "MOVED_TIME", "DATE_MODIFY",
    "COMPANY_ID", "CONTACT_ID", "SOURCE_ID", "UTM_SOURCE",
)  # fmt: skip

Lists = Mapping[str, Callable[[], Iterable[Any]]]
"""What reads which list: deals, leads, history, users."""


@dataclass
class Read:
    """What a reader has read so far. Seconds since its start and of a processor; MB of memory at most."""

    version: str
    received: dict[str, int] = field(default_factory=dict)
    distinct: dict[str, int] = field(default_factory=dict)
    ended_s: dict[str, float] = field(default_factory=dict)  # when each list was read to its end
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    error: str = ""
    failed: list[str] = field(default_factory=list)  # lists that were not read to their end


def main() -> None:
    name, webhook, file = sys.argv[1:]
    started = time.monotonic()
    read = Read(version(name))
    for kind, rows_of in PEERS[name](webhook).items():
        ids: list[int] = []
        try:
            for row in rows_of():
                ids.append(int(row.get("id") or row["ID"]))
            read.ended_s[kind] = time.monotonic() - started
        except Exception as error:  # of whatever kind a peer has: it is a part of the result
            read.failed.append(kind)
            read.error = f"{kind}: {type(error).__name__}: {error}"[:200]
        read.received[kind], read.distinct[kind] = len(ids), len(set(ids))
        read.seconds = time.monotonic() - started
        used = resource.getrusage(resource.RUSAGE_SELF)
        read.peak_mb, read.cpu_s = used.ru_maxrss / 1000, used.ru_utime + used.ru_stime
        Path(file).write_text(json.dumps(asdict(read)), "utf-8")


def official_sdk(webhook: str) -> Lists:
    """b24pysdk, the platform's own: keyset pages chained in batches, without counting."""
    from b24pysdk import BitrixWebhook

    domain, _, rest = webhook.removeprefix("https://").partition("/rest/")
    token = BitrixWebhook(domain=domain, webhook_token=rest.strip("/"))

    def rows(method: str, params: dict[str, Any]) -> Iterable[Any]:
        found: Iterable[Any] = token.call_list_fast(method, params=params)["result"]
        return found

    return {
        "deals": lambda: rows("crm.item.list", {"entityTypeId": 2, "select": list(DEAL_FIELDS)}),
        "leads": lambda: rows("crm.item.list", {"entityTypeId": 1, "select": list(LEAD_FIELDS)}),
        "history": lambda: rows("crm.stagehistory.list", {"entityTypeId": 2, "select": list(HISTORY_FIELDS)}),
        "users": lambda: token.call_list("user.get")["result"],
    }


def fast_bitrix24(webhook: str) -> Lists:
    """Offsets of a counted list in parallel batches; it slows down by the operating time that it is told."""
    from fast_bitrix24 import Bitrix

    client = Bitrix(webhook, verbose=False)
    return {
        "deals": lambda: client.get_all("crm.item.list", {"entityTypeId": 2, "select": list(DEAL_FIELDS)}),
        "leads": lambda: client.get_all("crm.item.list", {"entityTypeId": 1, "select": list(LEAD_FIELDS)}),
        "history": lambda: client.get_all(
            "crm.stagehistory.list", {"entityTypeId": 2, "select": list(HISTORY_FIELDS)}
        ),
        "users": lambda: client.get_all("user.get"),
    }


def b24api(webhook: str) -> Lists:
    """Ranges of ids in batches, without counting. It knows the older lists of CRM only."""
    from b24api import Bitrix24
    from b24api.entity import ListRequest, ListRequestParameters

    class OfDeals(ListRequestParameters):  # type: ignore[misc]
        entityTypeId: int = 2

    client = Bitrix24(webhook_url=webhook)

    def rows(method: str, parameters: Any) -> Iterable[Any]:
        found: Iterable[Any] = client.list_batched_no_count(ListRequest(method=method, parameters=parameters))
        return found

    return {
        "deals": lambda: rows("crm.deal.list", ListRequestParameters(select=list(OLD_DEAL_FIELDS))),
        "leads": lambda: rows("crm.lead.list", ListRequestParameters(select=list(OLD_LEAD_FIELDS))),
        "history": lambda: rows("crm.stagehistory.list", OfDeals(select=list(HISTORY_FIELDS))),
        "users": lambda: client.list_batched({"method": "user.get"}),
    }


PEERS: dict[str, Callable[[str], Lists]] = {
    "b24pysdk": official_sdk,
    "fast_bitrix24": fast_bitrix24,
    "b24api": b24api,
}

if __name__ == "__main__":
    main()
