"""Methods of no scope: who am I, what may I, what does this portal know."""

from __future__ import annotations

from emulator import dispatch
from emulator.answers import PortalError, Result
from emulator.dispatch import METHODS, Call, method
from emulator.events import EVENT_SCOPES, dynamic_events
from emulator.params import is_yes
from emulator.times import moment_text


@method("app.info")
def app_info(call: Call) -> Result:
    app = call.require_app()
    info = {
        "ID": 1,
        "CODE": app.client_id,
        "VERSION": app.version,
        "STATUS": app.status,
        "INSTALLED": app.is_installed,
        "PAYMENT_EXPIRED": "Y" if app.is_unpaid or (app.days or 0) < 0 else "N",
        "DAYS": app.days,
        "LANGUAGE_ID": call.portal.lang,
        "LICENSE": call.site.license,
    }
    if not call.portal.is_box:
        info |= {"LICENSE_TYPE": "pro100", "LICENSE_FAMILY": "pro"}
    return Result(info)


@method("profile")
def profile(call: Call) -> Result:
    user = call.user
    row = {
        "ID": str(call.user_id),
        "ADMIN": call.is_admin,
        "NAME": user.get("NAME") or "",
        "LAST_NAME": user.get("LAST_NAME") or "",
        "PERSONAL_GENDER": user.get("PERSONAL_GENDER") or "",
    }
    if user.get("PERSONAL_PHOTO"):
        row["PERSONAL_PHOTO"] = user["PERSONAL_PHOTO"]
    row["TIME_ZONE"] = user.get("TIME_ZONE") or ""
    return Result(row)


@method("scope")
def scope(call: Call) -> Result:
    if is_yes(call.param("full", "FULL")):
        return Result(sorted({name for found in METHODS.values() for name in found.scopes}))
    return Result(sorted(call.scopes))


@method("methods")
def methods(call: Call) -> Result:
    wanted = call.param("scope", "SCOPE")
    names = [
        name
        for name, found in sorted(METHODS.items())
        if name not in call.site.missing_methods
        and (wanted is None or wanted in found.scopes)
        and (
            is_yes(call.param("full", "FULL")) or wanted is not None or dispatch.may_call(found, call.scopes)
        )
    ]
    return Result(names)


@method("method.get")
def method_get(call: Call) -> Result:
    name = str(call.param("name", "NAME", default=""))
    if not name:
        raise PortalError("ERROR_ARGUMENT", "Argument 'name' is null or empty", argument="name")
    found = dispatch.find(call.site, name)
    return Result({
        "isExisting": found is not None,
        "isAvailable": found is not None and dispatch.may_call(found, call.scopes),
    })  # fmt: skip


@method("events")
def events(call: Call) -> Result:
    wanted = call.param("SCOPE", "scope")
    is_full = is_yes(call.param("FULL", "full"))
    return Result([
        name
        for name, needed in sorted((EVENT_SCOPES | dict.fromkeys(dynamic_events(call.portal), "crm")).items())
        if (wanted is None and (is_full or not needed or needed in call.scopes)) or wanted == needed
    ])  # fmt: skip


@method("feature.get")
def feature_get(call: Call) -> Result:
    code = str(call.param("CODE", "code", default=""))
    if code not in ("rest_offline_extended", "rest_auth_connector"):
        raise PortalError("ERROR_ARGUMENT", "Argument 'CODE' is null or empty", argument="CODE")
    value = "Y" if call.site.has_feature(code) else "N"
    return Result({"value": call.site.license if call.portal.is_box else value})


@method("server.time")
def server_time(call: Call) -> Result:
    return Result(moment_text(call.now, call.zone))


@method("batch", in_batch=False)
def batch(call: Call) -> Result:
    """Registered to be known to `methods` and refused inside a batch; the engine runs it."""
    raise PortalError("ERROR_BATCH_METHOD_NOT_ALLOWED", "Method is not allowed for batch usage", 405)
