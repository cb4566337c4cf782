"""`im.notify.*`: notices to people. They are kept on the site, oldest first, as their parameters came."""

from __future__ import annotations

import json
from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result
from emulator.dispatch import Call, method
from emulator.listing import PAGE
from emulator.times import moment_text
from emulator.world import Row

ATTACH_LIMIT = 60_000
SYSTEM, PERSONAL = 4, 2  # notify_type
ORDINARY = 3  # LAST_TYPE: past the confirmations


@method("im.notify.system.add", scope="im")
def notify_system_add(call: Call) -> Result:
    return _add(call, SYSTEM)


@method("im.notify.personal.add", scope="im")
def notify_personal_add(call: Call) -> Result:
    return _add(call, PERSONAL)


@method("im.notify", scope="im")
def notify(call: Call) -> Result:
    return _add(call, SYSTEM if str(call.param("TYPE", default="USER")).upper() == "SYSTEM" else PERSONAL)


@method("im.notify.delete", scope="im")
def notify_delete(call: Call) -> Result:
    number, tag, sub_tag = call.integer("ID"), call.param("TAG"), call.param("SUB_TAG")
    notices = call.site.notifications
    if number > 0:
        gone = [one for one in notices if (one["ID"], one["USER_ID"]) == (number, call.user_id)]
    elif tag or sub_tag:
        client = call.client_id or str(call.param("CLIENT_ID", default=""))
        if not client:
            raise PortalError("ACCESS_DENIED", "Access denied! Client ID not specified", 403)
        gone = [
            one
            for one in notices
            if one["CLIENT_ID"] == client
            and (one["TAG"] == str(tag) if tag else one["SUB_TAG"] == str(sub_tag))
        ]
    else:
        raise PortalError("PARAMS_ERROR", "Incorrect params")
    notices[:] = [one for one in notices if one not in gone]
    return Result(bool(gone))


@method("im.notify.read", scope="im")
def notify_read(call: Call) -> Result:
    """Marks one notice, or all from an id on, as read or not."""
    if "ID" not in call.params:
        return Result(True)
    number, is_read = call.integer("ID"), str(call.param("ACTION", default="Y")) != "N"
    only_this = call.param("ONLY_CURRENT") == "Y"
    for one in call.site.notifications:
        is_meant = one["ID"] == number if only_this else one["ID"] >= number
        if one["USER_ID"] == call.user_id and is_meant:
            one["IS_READ"] = is_read
    return Result(True)


@method("im.notify.get", scope="im")
def notify_get(call: Call) -> Result:
    if ("LAST_ID" in call.params) != ("LAST_TYPE" in call.params):
        text = "Parameters LAST_ID and LAST_TYPE should be used together."
        raise PortalError("LAST_ID_AND_LAST_TYPE", text)
    last = call.param("LAST_ID")
    if last is not None and not str(last).isdecimal():
        raise PortalError("LAST_ID_STRING", "Last notification ID can't be string")
    mine = [one for one in reversed(call.site.notifications) if one["USER_ID"] == call.user_id]
    if not mine:
        return Result({"notifications": [], "users": []})
    limit = min(call.integer("LIMIT", default=PAGE) or PAGE, PAGE)
    shown = [one for one in mine if last is None or one["ID"] < int(last)][:limit]
    authors = sorted({one["AUTHOR_ID"] for one in shown} - {0})
    return Result(
        {
            "total_count": len(mine),
            "total_unread_count": sum(not one["IS_READ"] for one in mine),
            "chat_id": call.user_id,
            "notifications": [_notice(call, one) for one in shown],
            "users": [_author(call, user_id) for user_id in authors],
        },
        rows=len(shown),
    )


def _add(call: Call, kind: int) -> Result:
    user_id = call.integer("USER_ID", "TO")
    if user_id <= 0:
        raise PortalError("USER_ID_EMPTY", "User ID can't be empty")
    message = str(call.param("MESSAGE", default="") or "").strip()
    if not message:
        raise PortalError("MESSAGE_EMPTY", "Message can't be empty")
    _check_attachment(call.param("ATTACH"))
    user = call.site.user(user_id)
    if user is None or not user.get("ACTIVE", True):
        return Result(False)
    site = call.site
    client = call.client_id or str(call.param("CLIENT_ID", default=""))
    # without an app there is nothing that a tag could be unique in
    tag, sub_tag = (str(call.param(name, default="") or "") if client else "" for name in ("TAG", "SUB_TAG"))
    if tag:
        site.notifications[:] = [
            one
            for one in site.notifications
            if (one["TAG"], one["USER_ID"], one["CLIENT_ID"]) != (tag, user_id, client)
        ]
    site.last_notice += 1
    site.notifications.append({
        **call.params, "ID": site.last_notice, "USER_ID": user_id, "MESSAGE": message, "TAG": tag,
        "SUB_TAG": sub_tag, "CLIENT_ID": client, "TYPE": kind, "IS_READ": False, "DATE": call.now,
        "AUTHOR_ID": call.user_id if kind == PERSONAL else 0,
    })  # fmt: skip
    return Result(site.last_notice)


def _check_attachment(attach: Any) -> None:
    if attach in (None, ""):
        return
    text = attach if isinstance(attach, str) else json.dumps(attach, ensure_ascii=False)
    if len(text) > ATTACH_LIMIT:
        text = "You have exceeded the maximum allowable size of attach"
        raise PortalError("ATTACH_OVERSIZE", text)
    try:
        is_right = isinstance(json.loads(text), (dict, list))
    except ValueError:
        is_right = False
    if not is_right:
        raise PortalError("ATTACH_ERROR", "Incorrect attach params")


def _notice(call: Call, one: Row) -> Row:
    prefix = f"MP|{one['CLIENT_ID']}|"
    return {
        "id": one["ID"],
        "chat_id": call.user_id,
        "author_id": one["AUTHOR_ID"],
        "date": moment_text(one["DATE"], call.zone),
        "notify_type": one["TYPE"],
        "notify_module": "rest",
        "notify_event": "rest_notify",
        "notify_tag": prefix + one["TAG"] if one["TAG"] else "",
        "notify_sub_tag": prefix + one["SUB_TAG"] if one["SUB_TAG"] else "",
        "notify_title": "",
        "setting_name": "rest|rest_notify",
        "text": one["MESSAGE"],
        "notify_read": "Y" if one["IS_READ"] else "N",
        "params": php.as_map(one.get("PARAMS")) or None,
    }


def _author(call: Call, user_id: int) -> Row:
    user = call.site.user(user_id) or {}
    name, last_name = user.get("NAME") or "", user.get("LAST_NAME") or ""
    return {
        "id": user_id,
        "active": bool(user.get("ACTIVE", True)),
        "name": f"{name} {last_name}".strip(),
        "first_name": name,
        "last_name": last_name,
        "work_position": user.get("WORK_POSITION") or "",
        "gender": user.get("PERSONAL_GENDER") or "M",
        "extranet": user.get("USER_TYPE") == "extranet",
        "bot": user.get("USER_TYPE") == "bot",
        "departments": list(user.get("UF_DEPARTMENT") or ()),
        "type": "user",
    }
