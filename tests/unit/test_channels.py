"""Which channel a record came through."""

from __future__ import annotations

import pytest

from b24app.metrics.channels import channel_of
from b24app.portals.settings import ChannelRule

RULES = (
    ChannelRule("by source", source_id="WEB"),
    ChannelRule("by utm", utm_source="yandex"),
    ChannelRule("later utm", utm_source="yandex"),
    ChannelRule("by both", utm_source="yandex", source_id="WEB"),
)
NAMES = {"WEB": "Web site", "CALL": "Call", "BLANK": " "}


@pytest.mark.parametrize(
    ("utm_source", "source_id", "channel"),
    [
        ("yandex", "WEB", "by both"),  # a rule that names both goes first, wherever it stands
        ("yandex", "CALL", "by utm"),  # then the first rule for the utm
        ("yandex", None, "by utm"),
        ("google", "WEB", "by source"),
        (None, "WEB", "by source"),
        ("google", "CALL", "google"),  # without a rule: the utm as it is
        (None, "CALL", "Call"),  # else the name of the source
        ("  ", "CALL", "Call"),
        ("", "", "unknown"),
        (None, "GONE", "unknown"),  # a source that the portal no longer names
        (None, "BLANK", "unknown"),
        ("Yandex", None, "Yandex"),  # rules are exact
    ],
)
def test_rules_decide_then_utm_then_the_source(
    utm_source: str | None, source_id: str | None, channel: str
) -> None:
    assert channel_of(utm_source, source_id, RULES, NAMES) == channel


def test_a_rule_that_names_nothing_matches_nothing() -> None:
    assert channel_of(None, None, (ChannelRule("all"),), {}) == "unknown"
