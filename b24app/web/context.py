"""What a request handler may reach: the parts of the app and the proven viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, g

from b24app.viewer import Viewer

if TYPE_CHECKING:
    from b24app.bootstrap import Parts


def parts() -> Parts:
    """The parts that `create_app` was given."""
    found: Parts = current_app.extensions["b24app"]
    return found


def viewer() -> Viewer:
    """Who is asking. Only inside handlers behind `require_viewer`."""
    found: Viewer = g.viewer
    return found
