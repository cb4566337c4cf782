"""Further pages of short lists, whose first page came with a batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from b24app.rest import paging
from b24app.rest.client import PortalClient
from b24app.rest.decipher import Reply
from b24app.rest.errors import RestError


def reply_of(answer: Reply | RestError) -> Reply:
    """The answer to a command. Raises: RestError, if that is what became of it."""
    if isinstance(answer, RestError):
        raise answer
    return answer


def rest_by_offset(
    client: PortalClient,
    method: str,
    params: Mapping[str, Any],
    answer: Reply | RestError,
    path: tuple[str, ...] = (),
) -> list[paging.Row]:
    """The rows of the first answer, or of all pages where it was only the first of several.

    Raises: RestError.
    """
    reply = reply_of(answer)
    if reply.next is None:
        return paging.rows_at(reply.result, path, method)
    return [row for rows in paging.read_offsets(client, method, params, path) for row in rows]
