"""Heartbeats and connectors: the way from the databases to the broker."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from flows.replication import heartbeat_table
from flows.tables import Database
from metrics import catalogue
from metrics.connectors import Connector, connector_samples, connectors
from metrics.heartbeats import Heartbeats, heartbeat_samples

BEAT = datetime(2025, 1, 15, 12, 0, tzinfo=UTC)
WAREHOUSE, CITIZEN = (heartbeat_table(database).topic for database in (Database.WAREHOUSE, Database.CITIZEN))


class Log:
    """Topic → values of its records."""

    def __init__(self, **values):
        self.values, self.read = values, []

    async def existing(self, topics):
        return {topic for topic in topics if topic in self.values}

    async def end_offsets(self, partitions):
        return {(topic, number): len(self.values[topic]) for topic, number in partitions}

    async def records_at(self, offsets, timeout):
        self.read += list(offsets.items())
        return {place: SimpleNamespace(value=self.values[place[0]][offset]) for place, offset in offsets.items()}


def beat(seconds=0):
    return json.dumps({"after": {"id": 1, "beat_at": (BEAT + timedelta(seconds=seconds)).isoformat()}}).encode()


async def test_the_newest_beat_of_each_source_counts_and_is_read_once():
    log = Log(**{WAREHOUSE: [beat(), beat(5)], CITIZEN: [beat(1)]})
    heartbeats = Heartbeats(log)
    for _ in range(3):
        found = await heartbeats.look()
    assert found == {Database.WAREHOUSE: BEAT + timedelta(seconds=5), Database.CITIZEN: BEAT + timedelta(seconds=1)}
    assert sorted(log.read) == [((CITIZEN, 0), 0), ((WAREHOUSE, 0), 1)]


async def test_a_silent_connector_shows_by_an_age_that_grows():
    facts = await Heartbeats(Log(**{WAREHOUSE: [beat()]})).look()
    ages = [heartbeat_samples(facts, BEAT.timestamp() + late).values[catalogue.HEARTBEAT_AGE] for late in (5, 90)]
    assert ages == [{("warehouse",): 5}, {("warehouse",): 90}]


async def test_a_record_without_a_row_leaves_the_beat_before_it():
    log = Log(**{WAREHOUSE: [beat()]})
    heartbeats = Heartbeats(log)
    await heartbeats.look()
    log.values[WAREHOUSE].append(None)
    assert await heartbeats.look() == {Database.WAREHOUSE: BEAT}


async def test_without_its_topic_a_source_has_no_heartbeat():
    assert await Heartbeats(Log()).look() == {}


def test_connectors_are_told_in_lower_case_and_a_missing_one_too():
    status = {"connector": {"state": "RUNNING"}, "tasks": [{"state": "FAILED", "trace": "a secret"}]}
    found = connectors({"sync_warehouse": {"status": status}, "of_others": {"status": status}})
    assert found == {"sync_warehouse": Connector("running", ["failed"]), "sync_citizen": Connector("missing", ())}
    samples = connector_samples(found, 0.0)
    states = {labels for labels, value in samples.values[catalogue.CONNECTOR_STATE].items() if value}
    assert states == {("sync_warehouse", "running"), ("sync_citizen", "missing")}
    tasks = {labels: value for labels, value in samples.values[catalogue.CONNECTOR_TASKS].items() if value}
    assert tasks == {("sync_warehouse", "failed"): 1}
