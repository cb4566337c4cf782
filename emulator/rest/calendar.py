"""`calendar.settings.get` and `calendar.accessibility.get`: the company's working time, who is busy or away.

A `calendar_event` record: OWNER_ID, NAME, DATE_FROM and DATE_TO (days of an event without hours, else
moments), ACCESSIBILITY, IMPORTANCE, EVENT_TYPE, TZ (the zone of its hours, else the server's), FROM_HR for
a row of the company's absence chart, which is shown in a shape of its own.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

from emulator.answers import PortalError, Result, object_or_list
from emulator.dispatch import Call, method
from emulator.params import as_int
from emulator.times import parse_moment
from emulator.world import Row

ACCESSIBILITY = "calendar.accessibility.get"

DEFAULTS: Row = {
    "work_time_start": "9",
    "work_time_end": "19",
    "year_holidays": "",
    "year_workdays": "",
    "week_holidays": ["SA", "SU"],
    "week_start": "MO",
    "user_name_template": "#NAME# #LAST_NAME#",
    "sync_by_push": False,
    "user_show_login": True,
    "path_to_user": "/company/personal/user/#user_id#/",
    "path_to_user_calendar": "/company/personal/user/#user_id#/calendar/",
    "path_to_group": "/workgroups/group/#group_id#/",
    "path_to_group_calendar": "/workgroups/group/#group_id#/calendar/",
    "path_to_vr": "",
    "path_to_rm": "",
    "rm_iblock_type": "",
    "rm_iblock_id": "",
    "dep_manager_sub": True,
    "denied_superpose_types": [],
    "pathes_for_sites": "",
    "forum_id": "8",
    "rm_for_sites": True,
    "path_to_type_company_calendar": "",
    "path_to_type_location": "",
    "path_to_type_open_event": "",
}


@method("calendar.settings.get", scope="calendar")
def settings(call: Call) -> Result:
    return Result({**DEFAULTS, **call.portal.calendar})


@method(ACCESSIBILITY, scope="calendar")
def accessibility(call: Call) -> Result:
    """The events of several people that touch the days, both included."""
    for name in ("from", "to", "users"):
        if not call.param(name):
            text = f'The required parameter "{name}" for the method "{ACCESSIBILITY}" is not set.'
            raise PortalError("", text)
    if call.user.get("USER_TYPE", "employee") == "extranet":
        raise PortalError("", "Access denied")
    first, last = (parse_moment(call.param(name), call.zone) for name in ("from", "to"))
    if first is None or last is None:
        raise PortalError("", "Invalid date")
    until = datetime.combine(last.date() + timedelta(days=1), time(), call.zone)
    events = call.portal.records["calendar_event"]
    found = {}
    for user_id in map(as_int, call.values("users")):
        rows = [events.get(row_id) for row_id in events.ids_where("OWNER_ID", [user_id])]
        found[str(user_id)] = [
            _absence(call, row) if row.get("FROM_HR") else _event(call, row)
            for row in rows
            if row and _begin(row, call.zone) < until and _end(row, call.zone) > first
        ]
    return Result(object_or_list(found), rows=sum(map(len, found.values())))


def _event(call: Call, row: Row) -> Row:
    """An event of somebody's calendar."""
    lasts_whole_days = not isinstance(row["DATE_FROM"], datetime)
    zone = ZoneInfo("UTC" if lasts_whole_days else row.get("TZ") or call.portal.timezone)
    begin, end = _span(row, call)
    return {
        "ID": str(row["ID"]),
        "NAME": row.get("NAME") or "",
        "DATE_FROM": _written(call, row["DATE_FROM"], zone),
        "DATE_TO": _written(call, row["DATE_TO"], zone),
        "DATE_FROM_TS_UTC": str(int(begin.timestamp())),
        "DATE_TO_TS_UTC": str(int(end.timestamp())),
        "~USER_OFFSET_FROM": _offset_s(begin, zone),
        "~USER_OFFSET_TO": _offset_s(end, zone),
        "DT_SKIP_TIME": "Y" if lasts_whole_days else "N",
        "TZ_FROM": str(zone),
        "TZ_TO": str(zone),
        "ACCESSIBILITY": row.get("ACCESSIBILITY") or "busy",
        "IMPORTANCE": row.get("IMPORTANCE") or "normal",
        "EVENT_TYPE": row.get("EVENT_TYPE") or "",
    }


def _absence(call: Call, row: Row) -> Row:
    """A row of the absence chart. [php] CCalendar::GetAccessibilityForUsers with getFromHR."""
    begin, end = _span(row, call)
    return {
        "FROM_HR": True,
        "ID": str(row["ID"]),
        "DT_FROM": _written(call, row["DATE_FROM"], call.zone),
        "DT_TO": _written(call, row["DATE_TO"], call.zone),
        "ACCESSIBILITY": "absent",
        "IMPORTANCE": "normal",
        "FROM": int(begin.timestamp()),
        "TO": int(end.timestamp()),
    }


def _offset_s(moment: datetime, zone: tzinfo) -> int:
    return int((moment.astimezone(zone).utcoffset() or timedelta()).total_seconds())


def _span(row: Row, call: Call) -> tuple[datetime, datetime]:
    """The moments that stand for both dates; days begin at the server's midnight."""
    return _moment(row["DATE_FROM"], call.zone), _moment(row["DATE_TO"], call.zone)


def _begin(row: Row, zone: tzinfo) -> datetime:
    return _moment(row["DATE_FROM"], zone)


def _end(row: Row, zone: tzinfo) -> datetime:
    """The first moment after the event."""
    value = row["DATE_TO"]
    whole = timedelta() if isinstance(value, datetime) else timedelta(days=1)
    return _moment(value, zone) + whole


def _moment(value: date, zone: tzinfo) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), zone)


def _written(call: Call, value: date, zone: tzinfo) -> str:
    """In the format of the portal's region: `02.12.2024 11:00:00`, in English `12/02/2024 11:00:00 am`."""
    day, clock = ("%m/%d/%Y", " %I:%M:%S %p") if call.portal.lang == "en" else ("%d.%m.%Y", " %H:%M:%S")
    if not isinstance(value, datetime):
        return value.strftime(day)
    return value.astimezone(zone).strftime(day + clock).replace("AM", "am").replace("PM", "pm")
