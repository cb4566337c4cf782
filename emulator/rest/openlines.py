"""`imopenlines.session.history.get`: the messages of one chat session, the client's vote among them."""

from __future__ import annotations

from emulator.answers import PortalError, Result, object_or_list
from emulator.dispatch import Call, method
from emulator.rights import visible_owners
from emulator.times import moment_text
from emulator.world import Row

SESSION_PROVIDER = "IMOPENLINES_SESSION"


@method("imopenlines.session.history.get", scope="imopenlines")
def session_history(call: Call) -> Result:
    session_id = call.integer("SESSION_ID")
    if call.param("SESSION_ID") in (None, ""):
        raise PortalError("MISSING_REQUIRED_PARAM", "Session ID can't be empty")
    if session_id <= 0:
        raise PortalError("INVALID_SESSION_ID", "Session ID is invalid")
    activity = _activity(call, session_id)
    if activity is None or not _may_read(call, activity):
        raise PortalError("ACCESS_DENIED", "You don't have access to this session")
    records = call.portal.records["session_message"]
    messages = [records.get(row_id) for row_id in records.ids_where("SESSION_ID", [session_id])]
    rows = sorted((row for row in messages if row), key=lambda row: row["ID"], reverse=True)
    chat_id = rows[0]["CHAT_ID"] if rows else 0
    senders = sorted({row["SENDER_ID"] for row in rows if row["SENDER_ID"]})
    answer = {
        "chatId": chat_id,
        "canJoin": "Y",
        "canVoteHead": "Y" if call.is_admin else "N",
        "sessionId": session_id,
        "sessionVoteHead": activity.get("VOTE_HEAD") or 0,
        "sessionCommentHead": None,
        "userId": f"chat{chat_id}",
        "message": object_or_list({str(row["ID"]): _message(call, row) for row in rows}),
        "usersMessage": {f"chat{chat_id}": [str(row["ID"]) for row in rows]},
        "users": object_or_list({str(user_id): _sender(call, user_id) for user_id in senders}),
        "openlines": [],
        "userInGroup": [],
        "chat": {str(chat_id): {"id": str(chat_id), "name": activity["SUBJECT"], "type": "lines"}},
    }
    return Result(answer, rows=len(rows))


def _activity(call: Call, session_id: int) -> Row | None:
    records = call.portal.records["activity"]
    for row_id in records.ids_where("ASSOCIATED_ENTITY_ID", [session_id]):
        row = records.get(row_id)
        if row is not None and row["PROVIDER_ID"] == SESSION_PROVIDER:
            return row
    return None


def _may_read(call: Call, activity: Row) -> bool:
    """Own sessions and those of one's people; an admin all."""
    owners = visible_owners(call.site, call.user_id)
    return owners is None or activity["RESPONSIBLE_ID"] in owners


def _message(call: Call, row: Row) -> Row:
    text = str(row["TEXT"])
    return {
        "id": str(row["ID"]),
        "chatid": str(row["CHAT_ID"]),
        "senderid": str(row["SENDER_ID"]),
        "recipientid": f"chat{row['CHAT_ID']}",
        "date": moment_text(row["DATE"], call.zone),
        "text": text,
        "textlegacy": text,
        "params": object_or_list(dict(row.get("PARAMS") or {})),
    }


def _sender(call: Call, user_id: int) -> Row:
    """Who wrote: a user of the portal, a bot, or a client behind a connector (no user of the portal)."""
    user = call.site.user(user_id)
    is_client = user is None
    user = user or {"NAME": "Клиент", "LAST_NAME": "", "WORK_POSITION": ""}
    return {
        "id": str(user_id),
        "name": f"{user['NAME']} {user['LAST_NAME']}".strip(),
        "active": True,
        "firstName": user["NAME"],
        "lastName": user["LAST_NAME"],
        "workPosition": user.get("WORK_POSITION") or "",
        "color": "#4ba984",
        "avatar": "",
        "gender": user.get("PERSONAL_GENDER") or "M",
        "extranet": is_client or user.get("USER_TYPE") == "extranet",
        "network": False,
        "bot": user.get("USER_TYPE") == "bot",
        "connector": is_client,
        "profile": f"/company/personal/user/{user_id}/",
    }
