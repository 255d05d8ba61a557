"""Ninety days of an installation with ten workers, written straight into our own tables."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from flows.registry import FLOWS
from flows.tables import Database

WORKERS = 10
DAYS = 90
LETTERS, OPEN_LETTERS, DEEDS = 30_000, 1_500, 20_000
#: Flows with samples: each is read by itself, so that more of them only take longer to write.
SAMPLED = 3

_WORKER = """
    INSERT INTO sync.worker (name, started_at, seen_at, web_url, state) VALUES (%s, now(), now() + interval '1 hour', %s, %s)
    """
_LEDGER = """
    INSERT INTO sync.ledger (flow, topic, "partition", first_offset, next_offset, owner, source_time, records_read, applied)
    VALUES (%s, %s, %s, 0, 1000, %s, now(), 1000, 1000)
    """
_SAMPLES = """
    INSERT INTO sync.flow_sample
    SELECT flow, at, 10, 0.5, 3, 20, 45 FROM unnest(%s::text[]) AS flow,
           generate_series(date_bin('15 s', now(), 'epoch') - interval '7 days', now(), interval '15 s') AS at
    """
_LETTERS = """
    INSERT INTO sync.dead_letter (flow, topic, "partition", "offset", reason, detail, status, created_at, closed_at)
    SELECT %(flow)s, 't', n %% 10, n, 'out_of_range', 'a column', CASE WHEN n > %(all)s - %(open)s THEN 'open' ELSE 'closed' END,
           now() - n * interval '1 minute', now() FROM generate_series(1, %(all)s) AS n
    """
_DEEDS = """
    INSERT INTO sync.audit (at, actor, action, subject, reason)
    SELECT now() - n * interval '2 minutes', 'asha', 'pause', 'feedback', 'a reason' FROM generate_series(1, %s) AS n
    """
_RUNS = """
    INSERT INTO sync.job_run
        (job, scheduled_for, lane, state, due_at, started_at, progressed_at, ended_at, rows_read, rows_written)
    SELECT job, at, 'lane of ' || job, 'succeeded', at, at, at + interval '1 minute', at + interval '1 minute', 1000, 1000
    FROM unnest(%s::text[]) AS job,
         generate_series(date_trunc('hour', now()) - %s * interval '1 day', now(), interval '1 hour') AS at
    """
_RECONCILIATIONS = """
    INSERT INTO sync.reconciliation (run, flow, repairs, state, progress)
    SELECT to_char(now() - n * interval '1 day', 'YYYY-MM-DD"T"HH24') || '-run', flow, true, 'done', %s
    FROM unnest(%s::text[]) AS flow, generate_series(0, %s) AS n
    """


def seed(databases: dict[Database, psycopg.Connection[Any]], jobs: dict[Database, list[str]], progress: dict[str, Any]) -> None:
    """Fill both databases; ``jobs`` by ledger, ``progress`` of a reconciled flow as it is kept."""
    citizen = databases[Database.CITIZEN]
    for number in range(WORKERS):
        citizen.execute(_WORKER, (f"worker-{number}", "http://127.0.0.1:6066/", Jsonb(_state(number))))
    citizen.execute(_SAMPLES, ([flow.name for flow in FLOWS[:SAMPLED]],))
    for database, connection in databases.items():
        flows = [flow for flow in FLOWS if flow.target.table.database is database]
        for flow in flows:
            for topic in flow.topics:
                for partition in range(flow.partitions):
                    connection.execute(_LEDGER, (flow.name, topic, partition, f"worker-{partition % WORKERS}"))
        connection.execute(_LETTERS, {"flow": flows[0].name, "all": LETTERS, "open": OPEN_LETTERS})
        connection.execute(_DEEDS, (DEEDS,))
        connection.execute(_RUNS, (jobs[database], DAYS))
        connection.execute(_RECONCILIATIONS, (Jsonb(progress), [flow.name for flow in flows], DAYS))
        connection.execute("ANALYZE")


def _state(number: int) -> dict[str, Any]:
    """What a worker reports that reads every tenth partition of every topic."""
    places = [
        (flow, topic, p) for flow in FLOWS for topic in flow.topics for p in range(flow.partitions) if p % WORKERS == number
    ]
    return {
        "pid": 4711,
        "host": "node",
        "rss_bytes": 2**28,
        "agents": [{"flow": flow.name, "topic": topic} for flow in FLOWS for topic in flow.topics],
        "partitions": [
            {
                "flow": flow.name,
                "topic": topic,
                "partition": p,
                "state": "open",
                "lag_seconds": 0.5,
                "lag_records": 3,
                "rate": 1.5,
            }
            for flow, topic, p in places
        ],
        "flows": [
            {"flow": flow.name, "state": "open", "rate": 2.0, "events": 9, "p50_ms": 20.0, "p99_ms": 45.0} for flow in FLOWS
        ],
    }
