"""For tests of anything but the limits: reading that does not wait for a portal's bucket to drain."""

from __future__ import annotations

from b24app.rest.budget import Budget, Budgets, Rate


class Unhurried(Budgets):
    """As if every portal were on-premise: without a rate limit. Operating time is counted all the same."""

    def for_portal(self, portal: str | int, rate: Rate = None) -> Budget:
        return super().for_portal(portal, None)
