"""Whether the event path has applied all up to a position in the source's log: what a batch job then finds, it has missed."""

from __future__ import annotations

from datetime import datetime
from typing import Final, cast

from flows.model import CapturedFlow
from flows.replication import replication_name
from sinks.pool import Session

_CONFIRMED: Final = """
    SELECT (confirmed_flush_lsn - '0/0')::bigint >= %s FROM pg_replication_slots WHERE slot_name = %s
    """
# Reported every second by whoever owns a partition. The oldest record that is not applied is `lag_seconds` old.
_BEHIND: Final = """
    SELECT count(*) FILTER (WHERE p ->> 'state' = 'open' AND w.seen_at > %(since)s
                            AND ((p ->> 'lag_records')::bigint = 0
                                 OR w.seen_at - (p ->> 'lag_seconds')::float * interval '1 second' > %(since)s))
    FROM sync.worker AS w, jsonb_array_elements(w.state -> 'partitions') AS p
    WHERE p ->> 'flow' = %(flow)s AND p ->> 'topic' = %(topic)s
    """


async def published(source: Session, flow: CapturedFlow, lsn: int) -> bool:
    """Whether the connector is known to have handed everything up to ``lsn`` to Kafka."""
    database = flow.source.table.database
    row = await source.row(_CONFIRMED, (lsn, replication_name(database)))
    return bool(row and row[0])


async def present(workers: Session) -> datetime:
    """The present by the clock that stamps what workers report."""
    row = await workers.row("SELECT clock_timestamp()")
    assert row is not None, "a SELECT without FROM answers one row"
    return cast("datetime", row[0])


async def applied(workers: Session, flow: CapturedFlow, since: datetime) -> bool:
    """Whether all partitions have applied what was in Kafka at ``since``; ``workers`` is a session where they report."""
    row = await workers.row(_BEHIND, {"flow": flow.name, "topic": flow.topic, "since": since})
    return row is not None and row[0] >= flow.partitions
