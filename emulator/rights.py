"""Whose records a user of the portal may see: admins all, heads their people's, others their own."""

from __future__ import annotations

from emulator.site import Site
from emulator.world import Portal


def visible_owners(site: Site, user_id: int) -> frozenset[int] | None:
    """The users whose records this one sees; None is everybody."""
    user = site.user(user_id) or {}
    if user.get("IS_ADMIN"):
        return None
    versions = site.portal.versions
    key = (versions["user"], versions["department"])
    known = site.visible.get(user_id)
    if known is None or known[0] != key:
        known = site.visible[user_id] = (key, frozenset({user_id}) | subordinates(site.portal, user_id))
    return known[1]


def subordinates(portal: Portal, user_id: int) -> frozenset[int]:
    """Everybody in the departments that the user heads and in all below them."""
    children: dict[int, list[int]] = {}
    inside: list[int] = []
    for row in portal.records["department"]:
        children.setdefault(int(row.get("PARENT") or 0), []).append(row["ID"])
        if row.get("UF_HEAD") == user_id:
            inside.append(row["ID"])
    found: set[int] = set()
    while inside:
        department = inside.pop()
        if department not in found:
            found.add(department)
            inside.extend(children.get(department, ()))
    return frozenset(
        row["ID"] for row in portal.records["user"] if found.intersection(row.get("UF_DEPARTMENT") or ())
    )
