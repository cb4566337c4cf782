"""Where the app shows itself: `placement.*`."""

from __future__ import annotations

from typing import Any

from emulator import params as php
from emulator.answers import PortalError, Result, object_or_list
from emulator.dispatch import Call, method
from emulator.rest.events import check_url
from emulator.site import PlacementHandler

CRM_TYPES = ("LEAD", "DEAL", "CONTACT", "COMPANY", "QUOTE", "SMART_INVOICE", "ORDER")
CODES: dict[str, str] = {
    "LEFT_MENU": "",
    "PAGE_BACKGROUND_WORKER": "",
    "REST_APP_URI": "",
    "BI_ANALYTICS_MENU": "",
    **{f"CRM_{kind}_{place}": "crm" for kind in CRM_TYPES
       for place in ("DETAIL_TAB", "DETAIL_ACTIVITY", "DETAIL_TOOLBAR", "LIST_MENU", "LIST_TOOLBAR")},
    "CRM_ANALYTICS_MENU": "crm",
    "CRM_ANALYTICS_TOOLBAR": "crm",
    "USER_PROFILE_TOOLBAR": "user",
    "USER_PROFILE_MENU": "user",
    "TASK_VIEW_TAB": "task",
    "TASK_VIEW_SIDEBAR": "task",
    "TASK_VIEW_TOP_PANEL": "task",
    "TASK_USER_LIST_TOOLBAR": "task",
    "TASK_GROUP_LIST_TOOLBAR": "task",
    "SONET_GROUP_DETAIL_TAB": "sonet_group",
    "TELEPHONY_ANALYTICS_MENU": "telephony",
    "IM_CONTEXT_MENU": "im",
}  # fmt: skip
"""The scope of each code besides `placement`; "" needs no other."""

USER_SCOPES = frozenset({"user", "user_basic", "user_brief"})
KNOWN_OPTIONS: dict[str, tuple[str, ...]] = {
    "PAGE_BACKGROUND_WORKER": ("errorHandlerUrl",),
    "TASK_VIEW_TAB": ("groupId",),
    "TASK_VIEW_SIDEBAR": ("groupId",),
    "IM_CONTEXT_MENU": ("extranet", "context", "role"),
}
SINGLE = frozenset({"PAGE_BACKGROUND_WORKER", "REST_APP_URI"})
_OF_TYPES = ("DETAIL_TAB", "DETAIL_ACTIVITY", "DETAIL_TOOLBAR", "LIST_MENU")


@method("placement.bind", scope="placement")
def placement_bind(call: Call) -> Result:
    app = call.require_app()
    call.require_admin()
    code = _code(call)
    url = str(call.param("HANDLER", "handler", default=""))
    if not url:
        raise _refusal(call, "EMPTY_ERROR_HANDLER_URL", "Handler URL is empty")
    check_url(call, url)
    options = call.mapping("OPTIONS", "options")
    if code == "PAGE_BACKGROUND_WORKER" and not options.get("errorHandlerUrl"):
        raise _refusal(call, "EMPTY_ERROR_HANDLER_URL", "Error handler URL is empty")
    user_id = call.integer("USER_ID", "user_id")
    if user_id and code not in SINGLE:
        raise _refusal(call, "ERROR_PLACEMENT_USER_MODE", "Placement does not support user mode")
    with call.site.lock:
        same_code = [one for one in app.placements if one.code == code and one.user_id == user_id]
        if any(one.url == url for one in same_code):
            raise PortalError("ERROR_CORE", "Unable to set placement handler: Handler already binded")
        if code in SINGLE and same_code:
            raise _refusal(call, "ERROR_PLACEMENT_MAX_COUNT", "Placement max count")
        app.placements.append(
            PlacementHandler(
                id=app.next_id(),
                code=code,
                url=url,
                user_id=user_id,
                title=str(call.param("TITLE", "title", default="") or ""),
                description=str(call.param("DESCRIPTION", "description", default="") or ""),
                group_name=str(call.param("GROUP_NAME", "group_name", default="") or ""),
                lang_all=_lang_all(call),
                options={name: options[name] for name in KNOWN_OPTIONS.get(code, ()) if name in options},
                icon=call.param("ICON", "icon"),
            )
        )
    return Result(True)


@method("placement.unbind", scope="placement")
def placement_unbind(call: Call) -> Result:
    app = call.require_app()
    call.require_admin()
    code = _code(call)
    url = call.param("HANDLER", "handler")
    has_user = "USER_ID" in call.params
    with call.site.lock:
        gone = [
            one
            for one in app.placements
            if one.code == code
            and (not url or one.url == url)
            and (not has_user or one.user_id == call.integer("USER_ID"))
        ]
        app.placements[:] = [one for one in app.placements if one not in gone]
    return Result({"count": 2 * len(gone)})  # one for finding it, one for removing it


@method("placement.get", scope="placement")
def placement_get(call: Call) -> Result:
    app = call.require_app()
    call.require_admin()
    return Result([
        {
            "placement": one.code,
            "userId": one.user_id,
            "handler": one.url,
            "options": object_or_list(one.options),
            "title": one.title,
            "description": one.description,
            "langAll": object_or_list(_shown_languages(call, one)),
        }
        for one in app.placements
    ])  # fmt: skip


@method("placement.list", scope="placement")
def placement_list(call: Call) -> Result:
    wanted = call.param("SCOPE", "scope")
    known = _codes(call)
    if php.is_yes(call.param("FULL", "full")):
        return Result(list(known))
    codes = [
        code
        for code, scope in known.items()
        if (wanted is None or scope == wanted) and _has_scope(call, scope)
    ]
    return Result(codes)


def _codes(call: Call) -> dict[str, str]:
    """The codes of this portal with their scopes: those of a smart process live as long as it does."""
    types = [row["entityTypeId"] for row in call.portal.records["type"]]
    return CODES | {f"CRM_DYNAMIC_{number}_{place}": "crm" for number in types for place in _OF_TYPES}


def _code(call: Call) -> str:
    code = str(call.param("PLACEMENT", "placement", default="")).upper()
    if not code:
        raise PortalError("ERROR_ARGUMENT", "Argument 'PLACEMENT' is null or empty", argument="PLACEMENT")
    scope = _codes(call).get(code)
    if scope is None or not _has_scope(call, scope):
        raise _refusal(call, "ERROR_PLACEMENT_NOT_FOUND", "Placement not found")
    return code


def _has_scope(call: Call, scope: str) -> bool:
    if scope == "user":
        return not call.scopes.isdisjoint(USER_SCOPES)
    return not scope or scope in call.scopes


def _refusal(call: Call, code: str, text: str) -> PortalError:
    return PortalError(code, text, 200 if call.site.quirks.placement_errors_are_200 else 400)


def _lang_all(call: Call) -> dict[str, Any]:
    return {lang: php.as_map(texts) for lang, texts in call.mapping("LANG_ALL", "lang_all").items()}


def _shown_languages(call: Call, one: PlacementHandler) -> dict[str, Any]:
    languages = one.lang_all
    if not languages and one.title:
        languages = {
            call.portal.lang: {
                "TITLE": one.title,
                "DESCRIPTION": one.description,
                "GROUP_NAME": one.group_name,
            }
        }
    return {
        lang: {name: str(texts.get(name) or "") for name in ("TITLE", "DESCRIPTION", "GROUP_NAME")}
        for lang, texts in languages.items()
    }
