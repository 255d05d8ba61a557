from datetime import UTC, datetime, timedelta

import pytest

from cli.topic_retention import _until

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 86_400_000


def topic(policy, retention, lag):
    return {"cleanup.policy": policy, "retention.ms": str(retention), "segment.ms": str(DAY), "max.compaction.lag.ms": str(lag)}


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        (topic("delete", 7 * DAY, 0), 8),
        (topic("delete", -1, 0), None),
        (topic("compact", -1, 7 * DAY), 7),
        (topic("compact", -1, 2**63 - 1), None),
        (topic("delete", 2**63 - 1, 0), None),
    ],
)
def test_a_record_is_gone_when_its_segment_must_be(settings, days):
    assert _until(NOW, settings) == (None if days is None else NOW + timedelta(days=days))
