"""The record that an accepted callback becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from flows.callback_model import Callback
from flows.moments import microseconds
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.headers import RECEIVED_HEADER, SENDER_HEADER, WEBHOOK_ID_HEADER
from schemas.message_key import partition_of


@dataclass(frozen=True)
class Delivery:
    """One message as it came: the sender's id of it, the sender, the time of receipt and the checked body."""

    webhook_id: str
    sender: str
    received_at: datetime
    row: dict[str, Any]


@dataclass(frozen=True)
class CallbackRecord:
    """A record for one partition."""

    topic: str
    partition: int
    key: bytes
    value: bytes
    headers: Sequence[tuple[str, bytes]]


def record_maker(callback: Callback) -> Callable[[Delivery], CallbackRecord]:
    """A function that makes the records of one callback. The same message always makes the same key and value."""
    encode = codec(schema_name(callback)).encode

    def make(delivery: Delivery) -> CallbackRecord:
        key = msgspec.json.encode({callback.key: str(delivery.row[callback.key])})
        return CallbackRecord(
            topic=callback.topic,
            partition=partition_of(key, callback.partitions),
            key=key,
            value=encode(delivery.row),
            headers=_headers(delivery),
        )

    return make


def _headers(delivery: Delivery) -> list[tuple[str, bytes]]:
    received = microseconds(delivery.received_at)
    return [
        (WEBHOOK_ID_HEADER, delivery.webhook_id.encode()),
        (SENDER_HEADER, delivery.sender.encode()),
        (RECEIVED_HEADER, str(received).encode()),
    ]
