"""`calendar.settings.get`: the company's working days and hours, for anybody."""

from __future__ import annotations

from emulator.answers import Result
from emulator.dispatch import Call, method
from emulator.world import Row

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
