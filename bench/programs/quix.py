"""Quix Streams 3.28 with its PostgreSQL sink, tuned: checkpoints of 5,000 records, large fetches, no metadata columns.

Runs in an environment of its own, without the project. Arguments: group, topic, schema, table, comma-separated columns
with the key first, the text that stands for null, a folder for its state. The sink takes the columns of a batch from its
first row and leaves nulls out, so that a batch beginning with a null would lose the column: no value may be null.
"""

import os
import sys
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]
from quixstreams.sinks.community.postgresql import PostgreSQLSink  # type: ignore[import-not-found]

CHECKPOINT_RECORDS = 5000
CHECKPOINT_SECONDS = 1.0
FETCH = {"fetch.min.bytes": 1, "max.partition.fetch.bytes": 4 * 2**20, "queued.max.messages.kbytes": 64 * 2**10}


def main(group: str, topic: str, schema: str, table: str, columns: str, null: str, state: str) -> None:  # noqa: PLR0913, PLR0917 one per argument
    """Run until a signal comes."""
    application = Application(
        broker_address=os.environ["SYNC_KAFKA__BOOTSTRAP_SERVERS"],
        consumer_group=group,
        state_dir=state,
        auto_offset_reset="earliest",
        commit_interval=CHECKPOINT_SECONDS,
        commit_every=CHECKPOINT_RECORDS,
        consumer_extra_config=FETCH,
        loglevel="WARNING",
    )
    names = columns.split(",")
    rows = application.dataframe(application.topic(topic, value_deserializer="json", key_deserializer="bytes"))
    rows = rows.apply(lambda change: _row(change["after"], names, null))
    rows.sink(_sink(schema, table, names[0]))
    application.run()


def _row(source: dict[str, Any], names: list[str], null: str) -> dict[str, Any]:
    return {name: null if source[name] is None else source[name] for name in names}


def _sink(schema: str, table: str, key: str) -> Any:
    return PostgreSQLSink(
        host=os.environ["SYNC_CITIZEN__HOST"],
        port=int(os.environ["SYNC_CITIZEN__PORT"]),
        dbname=os.environ["SYNC_CITIZEN__DBNAME"],
        user=os.environ["SYNC_CITIZEN__USER"],
        password=os.environ["SYNC_CITIZEN__PASSWORD"],
        schema_name=schema,
        table_name=table,
        schema_auto_update=False,
        primary_key_columns=[key],
        upsert_on_primary_key=True,
        include_metadata=False,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
