"""Kafka keys as the connector writes them, and the partition that Kafka's default partitioner gives them."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import msgspec
from aiokafka.partitioner import murmur2

from flows.model import Flow


def message_key(flow: Flow, value: str) -> bytes:
    """The JSON key of a row whose message key column holds ``value``, byte for byte as Connect renders it."""
    return msgspec.json.encode({flow.source.message_key: value})


def keyed_value(flow: Flow, key: bytes | None) -> str | None:
    """What :func:`message_key` made a key of; ``None`` for what is no such key."""
    try:
        return msgspec.json.decode(key or b"", type=dict[str, str]).get(flow.source.message_key)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def key_maker(flow: Flow) -> Callable[[str], bytes]:
    """A faster :func:`message_key` for values that need no escapes; others give a key that equals none."""
    before, after = message_key(flow, "|").split(b"|")
    return lambda value: before + value.encode() + after


def partition_of(key: bytes, partitions: int) -> int:
    """The partition in ``0 .. partitions - 1``; same arithmetic as the Java client, which keeps 31 bits."""
    return cast(int, (murmur2(key) & 0x7FFFFFFF) % partitions)
