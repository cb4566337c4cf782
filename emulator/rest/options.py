"""Small storages of an app on the portal."""

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
