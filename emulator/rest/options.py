"""Small storages of an app on the portal, and notices to people."""

from __future__ import annotations

from emulator.answers import PortalError, Result, object_or_list
from emulator.dispatch import Call, method


@method("app.option.set")
def app_option_set(call: Call) -> Result:
    app = call.require_app()
    options = call.mapping("options")
    if not options:
        raise PortalError("ArgumentNullException", "options is empty")
    if not call.is_admin:
        raise PortalError("AccessException", "Administrator authorization required")
    app.options.update(options)
    return Result(True)


@method("app.option.get")
def app_option_get(call: Call) -> Result:
    options = call.require_app().options
    name = call.param("option")
    return Result(object_or_list(dict(options)) if name in (None, "") else options.get(str(name)))


@method("user.option.set")
def user_option_set(call: Call) -> Result:
    app = call.require_app()
    options = call.mapping("options")
    if not options:
        raise PortalError("ArgumentNullException", "options is empty")
    app.user_options.setdefault(call.user_id, {}).update(options)
    return Result(True)


@method("user.option.get")
def user_option_get(call: Call) -> Result:
    options = call.require_app().user_options.get(call.user_id, {})
    name = call.param("option")
    return Result(object_or_list(dict(options)) if name in (None, "") else options.get(str(name)))


@method("im.notify.system.add", scope="im")
def notify_system_add(call: Call) -> Result:
    user_id = call.integer("USER_ID", "TO")
    if not user_id:
        raise PortalError("USER_ID_EMPTY", "User ID can't be empty")
    if not call.param("MESSAGE"):
        raise PortalError("MESSAGE_EMPTY", "Message can't be empty")
    if call.site.user(user_id) is None:
        return Result(False)
    tag = str(call.param("TAG", default=""))
    notices = call.site.notifications
    if tag:  # a notice with the same tag is replaced
        notices[:] = [one for one in notices if (one["TAG"], one["USER_ID"]) != (tag, user_id)]
    number = call.require_app().next_id()
    notices.append({**call.params, "ID": number, "USER_ID": user_id, "TAG": tag})
    return Result(number)
