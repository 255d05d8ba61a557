"""How flows were doing, for charts: one row per flow and slot, composed in the database from what workers report there."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sinks.operations.workers import STALE_SECONDS
from sinks.pool import Session

SLOT: Final = timedelta(seconds=15)
KEPT: Final = timedelta(days=7)
#: Rows that one statement removes: a short one, also after a long stop.
BATCH: Final = 5_000

# Reports may be those of another version: what has not the expected shape is left out.
_TAKE: Final = """
    WITH alive AS (SELECT state FROM sync.worker WHERE seen_at > now() - make_interval(secs => %(stale)s)),
    flows AS (
        SELECT f->>'flow' AS flow, sum((f->>'rate')::float8) AS rate, max((f->>'p50_ms')::float8) AS p50_ms,
               max((f->>'p99_ms')::float8) AS p99_ms
        FROM alive, jsonb_path_query(state, '$.flows[*] ? (@.flow.type() == "string" && @.rate.type() == "number")') AS f
        GROUP BY 1
    ),
    lags AS (
        SELECT p->>'flow' AS flow, max((p->>'lag_seconds')::float8) AS lag_seconds,
               sum((p->>'lag_records')::numeric)::bigint AS lag_records
        FROM alive,
             jsonb_path_query(state, '$.partitions[*] ? (@.flow.type() == "string" && @.lag_seconds.type() == "number")') AS p
        GROUP BY 1
    )
    INSERT INTO sync.flow_sample (flow, at, rate, lag_seconds, lag_records, p50_ms, p99_ms)
    SELECT flow, date_bin(%(slot)s, now(), 'epoch'), rate, lag_seconds, lag_records, p50_ms, p99_ms
    FROM flows LEFT JOIN lags USING (flow)
    ON CONFLICT DO NOTHING
    """
_FORGET: Final = """
    DELETE FROM sync.flow_sample WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM sync.flow_sample WHERE at < now() - %(kept)s LIMIT %(batch)s))
    """


async def take(session: Session) -> None:
    """Fill the present slot, unless another worker has."""
    await session.run(_TAKE, {"stale": STALE_SECONDS, "slot": SLOT})


async def forget(session: Session) -> None:
    """Remove a batch of the rows that are older than :data:`KEPT`."""
    await session.run(_FORGET, {"kept": KEPT, "batch": BATCH})
