"""Records that no connector writes: one for each column of each flow, with a canary where a good value should be."""

import json
import secrets
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from flows.model import Flow
from flows.tables import SourceColumn
from schemas.message_key import message_key
from settings import Kafka
from tests.support.canaries import Canary, topic_place

GOOD: dict[str, Any] = {
    "uuid": lambda: str(uuid4()),
    "bigint": lambda: secrets.randbelow(2**40),
    "integer": lambda: 1,
    "boolean": lambda: True,
    "date": lambda: "2000-01-01",
    "timestamptz": lambda: datetime.now(UTC).isoformat().replace("+00:00", "Z"),
    "jsonb": lambda: "{}",
    "numeric": lambda: "0.5000",
    "varchar": lambda: "x",
    "text": lambda: "x",
}
JUDGED_LATER = ("text", "jsonb")  # the one takes any word, the other is for the database to judge; neither is private
TOO_LONG = 40  # times a canary is longer than any column


def bad_records(flow: Flow) -> Iterator[tuple[Canary, bytes, bytes]]:
    """Return (canary, key, value) of records none of which can be applied."""
    for column in flow.source.columns:
        if column.type not in JUDGED_LATER:
            canary = _canary(flow, f"in {column.name}")
            row = _good_row(flow) | {column.name: _spoiled(column, canary)}
            yield canary, _key(flow, row), _change(row)
    for occasion in ("cut off", "as a name", "in the key"):
        canary, row = _canary(flow, occasion), _good_row(flow)
        yield canary, *_spoiled_record(flow, occasion, row, canary.value)


async def send_bad_records(kafka: Kafka, flows: Iterable[Flow]) -> list[Canary]:
    """Append them to the flows' topics."""
    producer, sent = AIOKafkaProducer(**kafka.client_options()), []
    await producer.start()
    try:
        for flow in flows:
            for canary, key, value in bad_records(flow):
                await producer.send_and_wait(flow.topic, value, key, 0)
                sent.append(canary)
    finally:
        await producer.stop()
    return sent


def _spoiled_record(flow: Flow, occasion: str, row: dict[str, Any], word: str) -> tuple[bytes, bytes]:
    if occasion == "cut off":
        return _key(flow, row), _change(row | {flow.source.columns[-1].name: word})[:-20] + word.encode()
    if occasion == "as a name":
        return _key(flow, row), json.dumps({word: {word: 1}}).encode()
    return json.dumps({flow.source.message_key: word}).encode(), _change(row)


def _canary(flow: Flow, occasion: str) -> Canary:
    return Canary(f"{flow.name}: record {occasion}", f"canary{secrets.token_hex(5)}", frozenset(map(topic_place, flow.topics)))


def _good_row(flow: Flow) -> dict[str, Any]:
    return {column.name: GOOD[column.type.partition("(")[0]]() for column in flow.source.columns}


def _spoiled(column: SourceColumn, canary: Canary) -> str:
    return canary.value * TOO_LONG if column.type.startswith("varchar") else canary.value


def _key(flow: Flow, row: dict[str, Any]) -> bytes:
    return message_key(flow, row[flow.source.message_key])


def _change(row: dict[str, Any]) -> bytes:
    now = int(datetime.now(UTC).timestamp() * 1000)
    source = {"ts_ms": now, "ts_us": now * 1000, "lsn": 1, "txId": 1, "snapshot": "false", "db": "x", "schema": "x", "table": "x"}
    return json.dumps({"before": None, "after": row, "source": source, "op": "u", "ts_ms": now}).encode()
