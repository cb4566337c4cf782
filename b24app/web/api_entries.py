"""`/api/v1/costs` and `/api/v1/campaigns`: what people and programs enter about marketing. For admins.

`PUT` takes a JSON list, CSV or an Excel workbook, all or nothing; with `skip=1` it leaves out the lines that
are wrong. `POST …/preview` says what `PUT` would do and stores nothing. `GET` lists, `DELETE` removes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Connection, select

from b24app import audit, clock, i18n, store, tables
from b24app.entries import cells, kinds, sheets
from b24app.entries.cells import ID_LIMIT, Known, Reading, Refused
from b24app.entries.kinds import Checked, Flaw, Kind
from b24app.entries.sheets import Format, Sheet, TooManyRows, Unreadable
from b24app.metrics.money import rates_in
from b24app.portals import settings
from b24app.store import PortalLeft, entered
from b24app.store.company import load_company
from b24app.store.entered import Cost, Entry, Filter
from b24app.viewer import Viewer
from b24app.web import parameters, scopes
from b24app.web.context import parts, viewer
from b24app.web.problems import Problem
from b24app.web.session import require_viewer

blueprint = Blueprint("api_entries", __name__, url_prefix="/api/v1")

UPLOAD_LIMIT = 48 * 1024 * 1024
"""Bytes: as many rows as one upload may have fit, in every format."""

FILTERS = ("from", "to", "channel", "department")
PAGE_SIZE, LONGEST_PAGE = 100, 1_000
SHOWN_ROWS, SHOWN_FLAWS = 20, 100


def list_entries(kind: Kind) -> Response:
    """A page of the entries, the latest first."""
    asking = _admin()
    arguments = parameters.single((*FILTERS, "page", "page_size"))
    which, page = _filter(arguments), parameters.page(arguments.get("page"))
    size = _page_size(arguments.get("page_size"))
    with parts().engine.connect() as conn:
        total = entered.count(conn, asking.portal_id, kind.entry, which)
        rows = entered.listed(conn, asking.portal_id, kind.entry, which, limit=size, offset=(page - 1) * size)
        channels = entered.channels(conn, asking.portal_id, kind.entry)
    body = {
        "portal": asking.member_id,
        kind.name: [entry_json(kind, row) for row in rows],
        "total": total,
        "page": page,
        "pages": -(-total // size),
        "page_size": size,
        "channels": channels,
    }
    response = jsonify(body)
    response.headers["Cache-Control"] = "no-store"
    return response


def upload(kind: Kind) -> Response:
    """Store the uploaded rows: `{"accepted": N}`, with `skip=1` also how many lines were left out."""
    asking = _admin()
    skip = _flag("skip", parameters.single(("skip",)))
    sheet = _sheet(kind, asking, may_guess=False)
    with parts().engine.connect() as conn:
        known = _known(conn, asking.portal_id)
    checked = kinds.check(kind, sheet, known)
    _refuse(kind, sheet, checked, asking, may_skip=skip)
    with _writing(asking) as conn:
        accepted = entered.save(conn, asking.portal_id, kind.entry, checked.entries)
        _note(conn, asking, kind, {"accepted": accepted, "skipped": checked.bad_lines})
    answer = {"accepted": accepted}
    if skip:
        answer["skipped"] = checked.bad_lines
    return jsonify(answer)


def preview(kind: Kind) -> Response:
    """What an upload of this body would do. The encoding of a text may be guessed here: people look at it."""
    asking = _admin()
    parameters.single(())
    sheet = _sheet(kind, asking, may_guess=True)
    with parts().engine.connect() as conn:
        checked = kinds.check(kind, sheet, _known(conn, asking.portal_id))
        ids = [entry.external_id for entry in checked.entries]
        replaced = len(entered.known_ids(conn, asking.portal_id, kind.entry, ids))
        strange = _without_rate(conn, asking.portal_id, checked)
    return jsonify(
        format=sheet.format.value,
        encoding=sheet.encoding,
        separator=sheet.separator,
        columns=list(sheet.columns),
        missing_columns=list(checked.missing),
        unknown_columns=list(checked.unknown),
        rows=checked.lines,
        good=len(checked.entries),
        bad=checked.bad_lines,
        new=len(checked.entries) - replaced,
        replaced=replaced,
        currencies_without_rate=strange,
        sample=[entry_json(kind, entry) for entry in checked.entries[:SHOWN_ROWS]],
        flaws=[_flaw_json(flaw, asking.lang) for flaw in checked.flaws[:SHOWN_FLAWS]],
    )


def remove(kind: Kind) -> Response:
    """Delete every entry that the filter names; one without a filter must say `everything=1`."""
    asking = _admin()
    arguments = parameters.single((*FILTERS, "everything"))
    which = _filter(arguments)
    if which.is_everything and not _flag("everything", arguments):
        raise parameters.wrong(
            "everything", "must be 1 to delete everything; or name from, to, channel or department"
        )
    with _writing(asking) as conn:
        deleted = entered.remove(conn, asking.portal_id, kind.entry, which)
        _note(conn, asking, kind, {"deleted": deleted})
    return jsonify(deleted=deleted)


def remove_one(kind: Kind, external_id: str) -> tuple[str, int]:
    """Delete one entry."""
    asking = _admin()
    with _writing(asking) as conn:
        if not entered.remove_one(conn, asking.portal_id, kind.entry, external_id):
            raise Problem(404, "No such entry", f"external_id: {external_id!r} is not among the {kind.name}")
        _note(conn, asking, kind, {"deleted": 1, "external_id": external_id})
    return "", 204


DOORS: tuple[tuple[str, str, Callable[..., ResponseReturnValue]], ...] = (
    ("", "GET", list_entries),
    ("", "PUT", upload),
    ("", "DELETE", remove),
    ("/preview", "POST", preview),
    ("/<path:external_id>", "DELETE", remove_one),
)
for _kind in kinds.KINDS.values():
    for _tail, _method, _handler in DOORS:
        blueprint.add_url_rule(
            f"/{_kind.name}{_tail}",
            f"{_kind.name}_{_handler.__name__}",
            require_viewer(partial(_handler, _kind)),
            methods=[_method],
        )


def entry_json(kind: Kind, entry: Entry) -> dict[str, Any]:
    """The entry as it is uploaded."""
    return {column.name: _plain(getattr(entry, column.field)) for column in kind.columns}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        whole, _, rest = f"{value:f}".partition(".")
        return f"{whole}.{rest.rstrip('0').ljust(2, '0')}"
    return value


def _admin() -> Viewer:
    asking = viewer()
    scopes.require_admin(asking)
    return asking


@contextmanager
def _writing(asking: Viewer) -> Iterator[Connection]:
    """One transaction of entered records; every number may change with it."""
    try:
        with store.writing(parts().engine, asking.portal_id) as writer:
            writer.changed = True
            yield writer.conn
    except PortalLeft as error:
        raise Problem(409, "The portal has left", "nothing can be stored for it any more") from error


def _note(conn: Connection, asking: Viewer, kind: Kind, detail: dict[str, Any]) -> None:
    action = audit.COSTS_CHANGED if kind.entry is Cost else audit.CAMPAIGNS_CHANGED
    audit.record(conn, asking.portal_id, asking.user_id, action, kind.name, detail, at=clock.epoch())


def _sheet(kind: Kind, asking: Viewer, *, may_guess: bool) -> Sheet:
    request.max_content_length = UPLOAD_LIMIT
    names = kinds.headings(
        kind, (i18n.section(lang, "entries")["column"][kind.name] for lang in i18n.languages())
    )
    charset = request.mimetype_params.get("charset")
    try:
        return sheets.read(request.get_data(), names, request.mimetype, charset, may_guess=may_guess)
    except Unreadable as error:
        detail = i18n.text(asking.lang, f"entries.unreadable.{error.reason}", **error.values)
        status = 413 if isinstance(error, TooManyRows) else 400
        raise Problem(status, "Upload refused", f"body: {detail}", parameter="body") from error


def _known(conn: Connection, portal_id: int) -> Known:
    table = tables.departments.c
    rows = conn.execute(select(table.department_id, table.name).where(table.portal_id == portal_id)).all()
    return Known({row.department_id: row.name for row in rows} or None)


def _refuse(kind: Kind, sheet: Sheet, checked: Checked, asking: Viewer, *, may_skip: bool) -> None:
    """Raises: Problem 400 that names what is wrong, unless the wrong lines are to be left out."""
    for reason, names in (("column_missing", checked.missing), ("column_unknown", checked.unknown)):
        if names and not (may_skip and reason == "column_unknown"):
            told = i18n.text(asking.lang, f"entries.unreadable.{reason}", columns=", ".join(names))
            raise Problem(400, "Upload refused", told, parameter=names[0])
    if not checked.flaws or may_skip:
        return
    first = _flaw_json(checked.flaws[0], asking.lang)
    more = f" (+{checked.bad_lines - 1})" if checked.bad_lines > 1 else ""
    where = ": ".join(str(first[key]) for key in ("line", "column", "text") if first[key] is not None)
    named = first["column"] or "line"
    raise Problem(
        400,
        "Upload refused",
        f"{kind.name} {where}{more}",
        parameter=f"[{first['line'] - 1}].{named}" if sheet.format is Format.JSON else named,
        bad=checked.bad_lines,
        errors=[_flaw_json(flaw, asking.lang) for flaw in checked.flaws[:SHOWN_FLAWS]],
    )


def _flaw_json(flaw: Flaw, lang: str) -> dict[str, Any]:
    values = {} if flaw.other_line is None else {"other_line": flaw.other_line}
    return {
        "line": flaw.line,
        "column": flaw.column,
        "reason": flaw.reason,
        "value": flaw.value,
        "text": i18n.text(lang, f"entries.flaw.{flaw.reason}", **values),
    }


def _without_rate(conn: Connection, portal_id: int, checked: Checked) -> list[str]:
    known = rates_in(load_company(conn, portal_id).rates, settings.load(conn, portal_id).currency).factors
    named = {entry.currency for entry in checked.entries if isinstance(entry, Cost)}
    return sorted(named - known.keys())


def _filter(arguments: Mapping[str, str]) -> Filter:
    number = arguments.get("department")
    if number is not None and not (number.isascii() and number.isdigit() and int(number[:12]) <= ID_LIMIT):
        raise parameters.wrong("department", "must be the number of a department")
    found = Filter(
        start=_day("from", arguments),
        end=_day("to", arguments),
        channel=arguments.get("channel"),
        departments=None if number is None else frozenset({int(number)}),
    )
    if found.start is not None and found.end is not None and found.start >= found.end:
        raise parameters.wrong("to", "is exclusive and must be later than from")
    return found


def _day(name: str, arguments: Mapping[str, str]) -> date | None:
    written = arguments.get(name)
    if written is None:
        return None
    try:
        return cells.day(written, Reading(is_typed=True))
    except Refused as error:
        raise parameters.wrong(name, f"{written!r} is no date YYYY-MM-DD") from error


def _page_size(written: str | None) -> int:
    if written is None:
        return PAGE_SIZE
    if not (written.isascii() and written.isdigit() and 1 <= int(written[:9]) <= LONGEST_PAGE):
        raise parameters.wrong("page_size", f"must be a number from 1 to {LONGEST_PAGE}")
    return int(written)


def _flag(name: str, arguments: Mapping[str, str]) -> bool:
    written = arguments.get(name, "0")
    if written not in ("0", "1"):
        raise parameters.wrong(name, f"{written!r} is neither 0 nor 1")
    return written == "1"
