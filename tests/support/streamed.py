"""Has the connector read everything? A beat of the heart says so: it is written last and comes through the same log."""

import json
from datetime import datetime

import psycopg
from aiokafka.errors import KafkaError

from flows.replication import heartbeat_table
from flows.tables import Database
from settings import Kafka
from tests.support.databases import Administrator
from tests.support.kafka import last_value
from tests.support.waiting import eventually

BEAT = "UPDATE sync.heartbeat SET beat_at = clock_timestamp() WHERE id = 1 RETURNING beat_at"


def wait_until_streamed(kafka: Kafka, database: Database, administrator: Administrator, within: float) -> None:
    """Return when all that was committed in the source is in the topics."""
    beat: datetime = administrator.value(BEAT)
    topic = heartbeat_table(database).topic
    eventually(lambda: _heard(kafka, topic) >= beat, f"the connector of {database.value} has read all", within=within)


def _heard(kafka: Kafka, topic: str) -> datetime:
    """When the last beat in the topic was; long ago where there is none, or nobody answers."""
    try:
        value = last_value(kafka, topic)
    except (KafkaError, psycopg.OperationalError, TimeoutError):
        value = None
    if value is None:
        return datetime.fromisoformat("1970-01-01T00:00:00Z")
    return datetime.fromisoformat(json.loads(value)["after"]["beat_at"])
