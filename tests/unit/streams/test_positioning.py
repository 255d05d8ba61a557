from types import SimpleNamespace

import pytest

from sinks.ledger import Claim
from streams.chunk import key_hash
from streams.positioning import Rebuild, Refuse, Start, decide, verify

LAST = SimpleNamespace(offset=9, timestamp=1000, key=b"k")


def claim(**changes):
    values = {"flow": "f", "topic": "t", "partition": 0, "first_offset": 0, "next_offset": 10, "owner_epoch": 1,
              "last_timestamp": 1000, "last_key_hash": key_hash(b"k"), "resynced": 0}  # fmt: skip
    return Claim(**(values | changes))


@pytest.mark.parametrize(
    ("next_offset", "reflected", "log", "expected"),
    [
        (0, None, range(5), Start(0)),
        (10, 10, range(20), Start(10)),
        (10, 15, range(20), Start(10)),
        (10, 7, range(20), Start(7)),
        (10, 10, range(10), Start(10)),
    ],
)
def test_reading_begins_where_ledger_and_candidates_allow(next_offset, reflected, log, expected):
    assert decide(claim(), next_offset, reflected, log) == expected


@pytest.mark.parametrize(
    ("next_offset", "reflected", "log", "offset"),
    [
        (10, None, range(20), 10),  # candidates lost
        (10, 3, range(5, 20), 10),  # candidates behind what the log still has
        (10, 10, range(12, 20), 12),  # retention was faster than we
        (5, None, range(5, 20), 5),  # first start on a log that has lost its beginning
    ],
)
def test_what_the_log_cannot_give_back_is_rebuilt(next_offset, reflected, log, offset):
    found = decide(claim(), next_offset, reflected, log)
    assert isinstance(found, Rebuild)
    assert found.offset == offset


def test_a_log_shorter_than_the_ledger_is_refused():
    assert isinstance(decide(claim(), 10, 10, range(9)), Refuse)


def test_the_record_that_was_applied_last_is_recognised():
    assert verify(claim(), LAST) is None


@pytest.mark.parametrize("changes", [{"timestamp": 1001}, {"key": b"other"}])
def test_another_record_at_the_same_offset_is_refused(changes):
    assert isinstance(verify(claim(), SimpleNamespace(**(vars(LAST) | changes))), Refuse)


def test_nothing_is_compared_when_nothing_was_applied_or_the_log_dropped_it():
    assert verify(claim(last_timestamp=None), LAST) is None
    assert verify(claim(), None) is None
    assert verify(claim(), SimpleNamespace(offset=12, timestamp=5, key=None)) is None
