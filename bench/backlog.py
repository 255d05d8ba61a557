"""Records that wait in the flow's topic: what they are, and how they got there."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from bench.errors import BenchError
from bench.stage import Stage
from demo.console import progress_bar
from demo.databases import DatabaseName
from demo.generate import Population, load_history
from demo.history import Past, Sizes, histories_of, load_tables
from flows.model import CapturedFlow
from streams.batches import Record
from streams.log_reader import LogReader, Partition
from tests.support.source_history import watch

SEED = 1
STREAM_SECONDS = 600.0
#: Of a family of the demo, about.
MEMBERS = 4
LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Backlog:
    """``ends``: partition → the offset after its last record. ``last_keys``: the source's primary key of those records."""

    records: int
    groups: int
    largest_group: int
    ends: dict[int, int]
    last_keys: tuple[Any, ...]
    mean_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.records:,} inserts of {self.groups:,} groups (mean {self.records / self.groups:.0f} rows, most"
            f" {self.largest_group:,}), {len(self.ends)} partitions, about {self.mean_bytes:,} bytes each"
        )


def load_demo(stage: Stage, events: int, families: int) -> None:
    """Insert the demo's seeded history: skewed, 40 days long, a quarter of it expired."""
    with stage.warehouse.connect() as connection, progress_bar("evaluations", events) as progress:
        load_history(connection, Population(SEED, families), events, datetime.now(UTC), progress)


def load_people(stage: Stage, documents: int) -> None:
    """Insert what the demo has of people and their documents in both databases; tables that hold rows are left as they are."""
    sizes = Sizes(evaluations=0, applications=documents // 2, documents=documents)
    past = Past(Population(SEED, documents // MEMBERS), sizes, datetime.now(UTC))
    for name, administrator in zip(DatabaseName, (stage.warehouse, stage.citizen), strict=True):
        with administrator.connect() as connection:
            load_tables(connection, histories_of(name), past)
            watch(connection, [])  # the oracles ask for what was deleted: nothing


def wait_for_backlog(stage: Stage, flow: CapturedFlow) -> Backlog:
    """Return when Debezium has written a record for every row of the source, which must have seen nothing but inserts."""
    return read_backlog(stage, flow, flow.topic, "c")


def read_backlog(stage: Stage, flow: CapturedFlow, topic: str, operation: str) -> Backlog:
    """Return when the topic has a record for every row of the source; the last of each partition must be ``operation``."""
    source = flow.source.table.qualified
    expected = int(stage.source_of(flow).value(f"SELECT count(*) FROM {source}"))  # noqa: S608 names of the definition
    sizes = f"SELECT count(*) AS size FROM {source} GROUP BY {flow.source.message_key}"  # noqa: S608
    groups, largest = stage.source_of(flow).rows(f"SELECT count(*), max(size) FROM ({sizes}) AS g")[0]  # noqa: S608
    ends, last = asyncio.run(_streamed(stage, [(topic, number) for number in range(flow.partitions)], expected))
    changes = [_change(record) for record in last]
    if {change["op"] for change in changes} != {operation}:
        raise BenchError(f"{topic} holds other operations than {operation!r}")
    return Backlog(
        records=expected,
        groups=groups,
        largest_group=largest,
        ends={number: end for (_, number), end in ends.items()},
        last_keys=tuple(change["after"][flow.source.primary_key] for change in changes),
        mean_bytes=sum(len(record.value or b"") for record in last) // len(last),
    )


def _change(record: Record) -> dict[str, Any]:
    """Decode a record, with its schema or without."""
    found: dict[str, Any] = msgspec.json.decode(record.value or b"{}")
    payload: dict[str, Any] = found.get("payload", found)
    return payload


async def _streamed(stage: Stage, partitions: list[Partition], expected: int) -> tuple[dict[Partition, int], list[Record]]:
    """Return the ends once they hold ``expected`` records, and the last record of each partition that has any."""
    reader = LogReader(stage.settings.kafka.client_options())
    try:
        ends = await _ends(reader, partitions, expected)
        last = await reader.records_at({partition: end - 1 for partition, end in ends.items() if end})
    finally:
        await reader.stop()
    return ends, list(last.values())


async def _ends(reader: LogReader, partitions: list[Partition], expected: int) -> dict[Partition, int]:
    deadline = time.monotonic() + STREAM_SECONDS
    while (found := sum((ends := await reader.end_offsets(partitions)).values())) != expected:
        if found > expected or time.monotonic() > deadline:
            raise BenchError(f"the topic holds {found:,} records for {expected:,} rows")
        await asyncio.sleep(LOOK_SECONDS)
    return ends
