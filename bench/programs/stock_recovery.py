"""A Faust table as it comes, recovering from a changelog that another application wrote.

Arguments: changelog topic, its partitions, data folder, seconds to watch, file for the answer, which becomes the number of
records recovered and the seconds that it took, from the first one on. Where the broker is, it reads from the environment.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

import faust

from settings import load_settings
from streams.kafka_client import faust_brokers

LOOK_SECONDS = 0.02


def create_app(changelog: str, partitions: int, data: Path) -> faust.App:
    """Compose an app of one table that does nothing but recover it."""
    app = faust.App(
        data.name,
        broker=faust_brokers(load_settings().kafka),
        key_serializer="raw",
        value_serializer="raw",
        store="rocksdb://",
        datadir=str(data),
        topic_partitions=partitions,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        stream_recovery_delay=0.0,
        web_enabled=False,
        loghandlers=[],
    )
    topic = app.topic(changelog, partitions=partitions, key_type=bytes, value_type=bytes)
    options = {"driver": "rocksdict"}
    app.Table("stock", partitions=partitions, changelog_topic=topic, options=options, key_type=bytes, value_type=bytes)
    return app


def watch(app: faust.App, seconds: float, answer: Path) -> None:
    """Have the recovery watched from the assignment on."""
    watching: list[asyncio.Task[None]] = []

    async def assigned(*_: Any, **__: Any) -> None:
        watching.append(asyncio.create_task(_watch(app, seconds, answer)))

    app.on_partitions_assigned.connect(assigned, weak=False)


async def _watch(app: faust.App, seconds: float, answer: Path) -> None:
    tables: Any = app.tables
    remaining = tables.recovery.active_remaining_total
    while not (total := remaining()):  # noqa: ASYNC110 Faust has no event for it
        await asyncio.sleep(LOOK_SECONDS)
    began = time.monotonic()
    while (left := remaining()) and time.monotonic() - began < seconds:  # noqa: ASYNC110
        await asyncio.sleep(LOOK_SECONDS)
    draft = answer.with_suffix(".draft")
    draft.write_text(f"{total - left} {time.monotonic() - began}")
    draft.replace(answer)


def main(changelog: str, partitions: str, data: str, seconds: str, answer: str) -> None:
    """Run a worker until a signal comes."""
    app = create_app(changelog, int(partitions), Path(data))
    watch(app, float(seconds), Path(answer))
    sys.argv[1:] = ["worker", "--loglevel", "info"]
    app.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
