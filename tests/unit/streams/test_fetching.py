from types import SimpleNamespace

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer.fetcher import Fetcher

from streams.fetching import QUIET_SECONDS, WAIT_FOR_ALL_MS, WAIT_MS, SparingFetcher, Turns

BUSY, QUIET, OTHER = (TopicPartition("t", number) for number in range(3))
ALL = frozenset({BUSY, QUIET, OTHER})
POSITION = SimpleNamespace(has_valid_position=True, paused=False, position=7)


def test_while_nothing_comes_every_fetch_names_every_partition():
    turns = Turns()
    turns.named(ALL, 100.0)
    assert turns.of(ALL, 100.001) == ALL


def test_while_one_partition_is_busy_others_are_named_in_turns():
    turns = Turns()
    turns.named(ALL, 100.0)
    turns.have_records([BUSY], 100.0)
    assert turns.of(ALL, 100.01) == {BUSY}
    assert turns.of(ALL, 100.01 + QUIET_SECONDS) == ALL


def test_each_partition_has_its_own_turn():
    turns = Turns()
    turns.have_records([BUSY], 100.0)
    turns.named([QUIET], 100.0)
    assert turns.of(ALL, 100.01) == {BUSY, OTHER}


def test_a_partition_is_busy_for_a_second_after_its_last_records():
    turns = Turns()
    turns.named(ALL, 100.99)
    turns.have_records([BUSY], 100.0)
    assert turns.of(ALL, 100.999) == {BUSY}
    assert turns.of(ALL, 101.001) == ALL


def test_what_is_no_longer_ours_makes_nothing_busy():
    turns = Turns()
    turns.named(ALL, 100.0)
    turns.have_records([TopicPartition("gone", 0)], 100.0)
    assert turns.of(ALL, 100.01) == ALL


@pytest.fixture
def fetcher(monkeypatch):
    """A fetcher of one broker at second 100, which was never started."""
    at(monkeypatch, 100.0)
    found = Fetcher.__new__(Fetcher)
    found._records, found._in_flight = {}, set()
    found._max_partition_fetch_bytes, found._fetch_max_bytes, found._fetch_min_bytes = 1, 1, 1
    found._fetcher_timeout, found._isolation_level, found._client_rack = 0.2, 0, None
    found._preferred_read_replica = {}
    found._client = SimpleNamespace(cluster=SimpleNamespace(leader_for_partition=lambda _: 1))
    SparingFetcher.replace(found)
    return found


def at(monkeypatch, now):
    monkeypatch.setattr("streams.fetching.time", SimpleNamespace(monotonic=lambda: now))


def asked(fetcher):
    assignment = SimpleNamespace(tps=ALL, state_value=lambda _: POSITION)
    ((_, request),) = fetcher._get_actions_per_node(assignment)[0]
    return request._max_wait_ms, {TopicPartition(topic, entry[0]) for topic, entries in request.topics for entry in entries}


def test_a_fetch_for_all_may_wait_and_one_that_leaves_some_out_may_not(fetcher, monkeypatch):
    assert asked(fetcher) == (WAIT_FOR_ALL_MS, ALL)
    fetcher._turns.have_records([BUSY], 100.0)
    assert asked(fetcher) == (WAIT_MS, {BUSY})
    at(monkeypatch, 100.1)
    assert asked(fetcher) == (WAIT_FOR_ALL_MS, ALL)


def test_records_that_are_here_and_not_taken_leave_their_partition_out_and_make_the_wait_short(fetcher):
    fetcher._records[BUSY] = SimpleNamespace(calculate_backoff=lambda: 0)
    assert asked(fetcher) == (WAIT_MS, {QUIET, OTHER})
