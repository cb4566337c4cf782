"""Currencies and today's rates."""

from __future__ import annotations

from b24app.facts import reference
from b24app.facts.reference import Currency
from b24app.rest.calls import Call
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError
from b24app.sync.sources.kinds import Outcome, ShortList, parsed
from b24app.sync.sources.pages import rest_by_offset


def _read(client: PortalClient, outcome: Outcome) -> tuple[Currency, ...]:
    """The rates; where the reader may not see the list, at least which currency is the base."""
    base = outcome["base"]
    base_code = base.result if isinstance(base, Reply) else None
    listed = outcome["currencies"]
    if isinstance(listed, RestError) and base_code:
        return reference.with_base((), base_code)
    rows = rest_by_offset(client, "crm.currency.list", {}, listed)
    return reference.with_base(parsed(rows, reference.parse_currency, "currencies"), base_code)


CURRENCIES = ShortList(
    name="currencies",
    calls={"currencies": Call("crm.currency.list"), "base": Call("crm.currency.base.get")},
    read=_read,
    store=lambda writer, facts, sees_all: writer.replace_currencies(facts),
)
