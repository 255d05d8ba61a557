"""The closed list of metrics: whatever a process of the product tells Prometheus stands here, and nothing else.

Labels take their values from closed lists or from definitions: never an id, a key or a value of a row. A batch job is labelled
``batch_job``, because Prometheus itself calls the scraped service ``job``. States and results are told one-hot: a series per
state, 1 for the one that holds. What is not known has no series: a look at the world that failed leaves its metrics out after
:data:`STALE_SECONDS`, and ``sync_collector_up`` says so.
"""

from __future__ import annotations

from typing import Final

from metrics.model import Group, Kind, Metric, Scope

#: Facts older than this are not told any more.
STALE_SECONDS: Final = 15.0

LABELS: Final = {
    "flow": "name of a flow, as in flows.md",
    "topic": "topic that the flow reads",
    "partition": "number of the partition in its topic",
    "kind": "what of a source was lost: slot, topic, records, source",
    "outcome": "what became of a record: applied, superseded, filtered, parked, dead_lettered, tombstones;"
    " of a callback: accepted, gone (the sender, before its answer), or the problem's name, such as bad_signature",
    "reason": "kind of problem of a dead letter",
    "state": "one of the states that the metric names",
    "result": "how a run ended: succeeded, failed, cancelled, coalesced, superseded",
    "rows": "read, written, unchanged, skipped, failed, missed",
    "difference": "missing, extra, different",
    "database": "warehouse or citizen",
    "connector": "name of the connector in Kafka Connect",
    "batch_job": "name of a batch job",
    "callback": "name of a callback route",
    "table": "name of a RocksDB table",
    "source": "what was looked at: warehouse and citizen (the databases), ownership (who reads what), log (partitions without an"
    " owner), heartbeats, connect, tables (files of RocksDB)",
    "version": "version of the product",
    "python": "version of Python",
}

_AGES: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_ANSWERS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def _counter(name: str, unit: str, scope: Scope, labels: str, meaning: str) -> Metric:
    return Metric(name, Kind.COUNTER, unit, scope, tuple(labels.split()), meaning)


def _gauge(name: str, unit: str, scope: Scope, labels: str, meaning: str) -> Metric:
    return Metric(name, Kind.GAUGE, unit, scope, tuple(labels.split()), meaning)


def _histogram(name: str, scope: Scope, labels: str, meaning: str, buckets: tuple[float, ...]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, "seconds", scope, tuple(labels.split()), meaning, buckets)


EVENTS_TOTAL: Final = _counter(
    "sync_events_total", "records", Scope.WORKER, "flow outcome", "Records that this worker has settled, by what became of them"
)
EVENT_AGE: Final = _histogram(
    "sync_event_age_seconds",
    Scope.WORKER,
    "flow",
    "Commit in the source to commit in the target, of a sample of the events of every chunk",
    _AGES,
)
OBJECTIVE: Final = _gauge(
    "sync_flow_objective_seconds",
    "seconds",
    Scope.CLUSTER,
    "flow",
    "The age that an event of the flow may have when it is visible",
)
LEDGER_RECORDS: Final = _counter(
    "sync_ledger_records_total",
    "records",
    Scope.CLUSTER,
    "flow outcome",
    "Records settled by all workers since the flow exists, from the ledger: survives every restart",
)
UPSTREAM_LOST: Final = _counter(
    "sync_upstream_lost_records_total",
    "records",
    Scope.CLUSTER,
    "flow",
    "Offsets that the log had dropped before they were read; the rows were made good from the source",
)
UPSTREAM_LOSS: Final = _gauge(
    "sync_upstream_loss",
    "1 or 0",
    Scope.CLUSTER,
    "flow kind",
    "1 while changes of a source cannot come by events any more, until the flow is read again or reconciled",
)

LAG_RECORDS: Final = _gauge(
    "sync_partition_lag_records",
    "records",
    Scope.PARTITION,
    "flow topic partition",
    "Records in the log that are not settled",
)
LAG_SECONDS: Final = _gauge(
    "sync_partition_lag_seconds",
    "seconds",
    Scope.PARTITION,
    "flow topic partition",
    "Age of the oldest record in the log that is not settled; 0 when there is none",
)
OWNED: Final = _gauge(
    "sync_partition_owned",
    "1 or 0",
    Scope.CLUSTER,
    "flow topic partition",
    "Whether a living worker reads the partition",
)
SOURCE_TIME: Final = _gauge(
    "sync_partition_source_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "flow topic partition",
    "Commit time in the source of the last applied record",
)
LANES: Final = _gauge(
    "sync_lanes",
    "lanes",
    Scope.WORKER,
    "flow state",
    "Partitions that this worker holds, by what they do: recovering, opening, open, rebuilding, paused, stopped, waiting, closed",
)

FLOW_STATE: Final = _gauge("sync_flow_state", "1 or 0", Scope.CLUSTER, "flow state", "State of a flow: running, paused, stopped")
DEAD_LETTERS: Final = _gauge(
    "sync_dead_letters_open",
    "letters",
    Scope.CLUSTER,
    "flow reason",
    "Dead letters that nobody has settled; no series where there are none",
)
PARKED: Final = _gauge("sync_parked_keys", "keys", Scope.CLUSTER, "flow", "Keys whose events wait for a row they refer to")

JOB_RUNNING: Final = _gauge("sync_job_running", "1 or 0", Scope.CLUSTER, "batch_job", "Whether a run is at work")
JOB_PAUSED: Final = _gauge(
    "sync_job_paused", "1 or 0", Scope.CLUSTER, "batch_job", "Whether an operator has paused the job, or all"
)
JOB_WEEK: Final = _gauge(
    "sync_job_runs_week", "runs", Scope.CLUSTER, "batch_job result", "Runs that ended in the last seven days, by result"
)
JOB_LAST_RESULT: Final = _gauge(
    "sync_job_last_result",
    "1 or 0",
    Scope.CLUSTER,
    "batch_job result",
    "How the newest run ended that did work: succeeded, failed, cancelled",
)
JOB_LAST_SUCCESS: Final = _gauge(
    "sync_job_last_success_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "batch_job",
    "When the newest successful run ended",
)
JOB_SINCE: Final = _gauge(
    "sync_job_since_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "batch_job",
    "When the job was first seen here: what no success can be older than",
)
JOB_DURATION: Final = _gauge(
    "sync_job_duration_seconds", "seconds", Scope.CLUSTER, "batch_job", "How long the run at work has worked, or the last one did"
)
JOB_EXPECTED: Final = _gauge(
    "sync_job_expected_seconds", "seconds", Scope.CLUSTER, "batch_job", "How long a run should take, by the definition"
)
JOB_PERIOD: Final = _gauge("sync_job_period_seconds", "seconds", Scope.CLUSTER, "batch_job", "Longest time between two slots")
JOB_ROWS: Final = _gauge(
    "sync_job_rows", "rows", Scope.CLUSTER, "batch_job rows", "Rows of the newest run that ended, by what became of them"
)
JOB_VOLUME: Final = _gauge(
    "sync_job_expected_rows",
    "rows",
    Scope.CLUSTER,
    "batch_job",
    "Rows that the run at work, or the newest that ended, expected to read when it began, where it could know",
)
JOB_PROGRESS: Final = _gauge(
    "sync_job_progress_ratio",
    "0 to 1",
    Scope.CLUSTER,
    "batch_job",
    "Share of the rows that the run at work has read, where known",
)
JOB_NEXT: Final = _gauge(
    "sync_job_next_run_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "batch_job",
    "When the next run may start: the slot, or the first moment outside maintenance and peak hours",
)
JOB_LATE: Final = _gauge(
    "sync_job_late_seconds",
    "seconds",
    Scope.CLUSTER,
    "batch_job",
    "How long a run that has not begun is past its deferred time; 0 when none is, and while the job is paused",
)

MAINTENANCE: Final = _gauge("sync_maintenance_active", "1 or 0", Scope.CLUSTER, "", "Whether batch jobs rest for maintenance")
MAINTENANCE_SINCE: Final = _gauge(
    "sync_maintenance_since_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "",
    "When the maintenance that goes on began; no series when none does",
)
MAINTENANCE_UNTIL: Final = _gauge(
    "sync_maintenance_until_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "",
    "When the maintenance that goes on ends; no series when none does",
)

SLOT_RETAINED: Final = _gauge(
    "sync_slot_retained_bytes",
    "bytes",
    Scope.CLUSTER,
    "database",
    "WAL that the connector's replication slot keeps from being removed",
)
SLOT_LIMIT: Final = _gauge(
    "sync_slot_limit_bytes",
    "bytes",
    Scope.CLUSTER,
    "database",
    "WAL that a slot may retain before it is lost (max_slot_wal_keep_size); no series without a limit",
)
SLOT_SHARE: Final = _gauge(
    "sync_slot_limit_ratio",
    "0 to 1",
    Scope.CLUSTER,
    "database",
    "Retained bytes as a share of the limit; no series without a limit",
)
SLOT_STATE: Final = _gauge(
    "sync_slot_state",
    "1 or 0",
    Scope.CLUSTER,
    "database state",
    "State of the slot: reserved, extended, unreserved, lost, missing",
)
SLOT_ACTIVE: Final = _gauge("sync_slot_active", "1 or 0", Scope.CLUSTER, "database", "Whether a connector reads from the slot")

CONNECTOR_STATE: Final = _gauge(
    "sync_connector_state",
    "1 or 0",
    Scope.CLUSTER,
    "connector state",
    "State of the connector: running, paused, stopped, failed, unassigned, restarting, missing",
)
CONNECTOR_TASKS: Final = _gauge(
    "sync_connector_tasks", "tasks", Scope.CLUSTER, "connector state", "Tasks of the connector by state, the same words"
)
HEARTBEAT: Final = _gauge(
    "sync_heartbeat_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "database",
    "When the newest heartbeat was written in the source that has come through connector and broker",
)
HEARTBEAT_AGE: Final = _gauge(
    "sync_heartbeat_age_seconds", "seconds", Scope.CLUSTER, "database", "How long ago that was; one is written every few seconds"
)

RECONCILED: Final = _gauge(
    "sync_reconciliation_last_success_timestamp_seconds",
    "seconds since 1970",
    Scope.CLUSTER,
    "flow",
    "When the newest comparison of the flow ended that could be decided",
)
RECONCILIATION_STATE: Final = _gauge(
    "sync_reconciliation_state",
    "1 or 0",
    Scope.CLUSTER,
    "flow state",
    "State of the flow's newest comparison: running, done, undecided",
)
COMPARED: Final = _gauge(
    "sync_reconciliation_compared_rows", "rows", Scope.CLUSTER, "flow", "Rows compared by the newest comparison that was decided"
)
DIFFERENCES: Final = _gauge(
    "sync_reconciliation_differences",
    "rows",
    Scope.CLUSTER,
    "flow difference",
    "Rows that differed in that comparison after the second look",
)
REPAIRED: Final = _gauge("sync_reconciliation_repaired_rows", "rows", Scope.CLUSTER, "flow", "Rows that it put right")
UNREPAIRED: Final = _gauge("sync_reconciliation_unrepaired_rows", "rows", Scope.CLUSTER, "flow", "Rows that still differ")

POOL_SIZE: Final = _gauge("sync_pool_size", "connections", Scope.WORKER, "database", "Connections that the pool may open")
POOL_IN_USE: Final = _gauge("sync_pool_in_use", "connections", Scope.WORKER, "database", "Connections in use")
POOL_WAITING: Final = _gauge("sync_pool_waiting", "tasks", Scope.WORKER, "database", "Tasks that wait for a connection")
ROCKSDB: Final = _gauge("sync_rocksdb_size_bytes", "bytes", Scope.WORKER, "table", "Size of the table's files on this worker")
MEMORY: Final = _gauge("sync_worker_resident_bytes", "bytes", Scope.WORKER, "", "Memory of the process")
LOOP_DELAY: Final = _gauge(
    "sync_worker_loop_delay_seconds",
    "seconds",
    Scope.WORKER,
    "",
    "Longest time in the last minute that the event loop was held up",
)
READY: Final = _gauge("sync_worker_ready", "1 or 0", Scope.WORKER, "", "What /readyz answers")
STARTED: Final = _gauge("sync_worker_start_timestamp_seconds", "seconds since 1970", Scope.WORKER, "", "When the worker started")
BUILD: Final = _gauge("sync_build_info", "1", Scope.WORKER, "version python", "Which build runs; always 1")
WORKERS: Final = _gauge(
    "sync_workers",
    "workers",
    Scope.CLUSTER,
    "state",
    "Workers that have reported within a day: alive, silent (for 10 s and more)",
)
COLLECTOR_UP: Final = _gauge(
    "sync_collector_up",
    "1 or 0",
    Scope.WORKER,
    "source",
    "Whether the last look at the databases, the broker and Kafka Connect succeeded",
)
COLLECTOR_AGE: Final = _gauge(
    "sync_collector_age_seconds", "seconds", Scope.WORKER, "source", "Age of the facts that are told; no series before the first"
)

CALLBACKS_TOTAL: Final = _counter(
    "sync_callbacks_total",
    "requests",
    Scope.CALLBACKS,
    "callback outcome",
    "Callbacks answered, by outcome; senders are not told apart",
)
CALLBACK_SECONDS: Final = _histogram(
    "sync_callback_duration_seconds", Scope.CALLBACKS, "callback", "From the request's headers to the answer", _ANSWERS
)
CALLBACKS_READY: Final = _gauge("sync_callbacks_ready", "1 or 0", Scope.CALLBACKS, "", "What the service's /readyz answered last")
CALLBACKS_STARTED: Final = _gauge(
    "sync_callbacks_start_timestamp_seconds", "seconds since 1970", Scope.CALLBACKS, "", "When the service started"
)
CALLBACKS_BUILD: Final = _gauge("sync_callbacks_build_info", "1", Scope.CALLBACKS, "version python", "Which build runs; always 1")

GROUPS: Final = (
    Group(
        "Events",
        "What became of records, and how old they were.",
        (EVENTS_TOTAL, EVENT_AGE, OBJECTIVE, LEDGER_RECORDS, UPSTREAM_LOST, UPSTREAM_LOSS),
    ),
    Group(
        "Partitions",
        "How far behind the log; true also for partitions that are stuck, paused, idle or unowned.",
        (LAG_RECORDS, LAG_SECONDS, OWNED, SOURCE_TIME, LANES),
    ),
    Group("Flows", "What an operator or the product has decided, and what waits.", (FLOW_STATE, DEAD_LETTERS, PARKED)),
    Group(
        "Batch jobs",
        "From the job ledger and the definitions.",
        (
            JOB_RUNNING,
            JOB_PAUSED,
            JOB_WEEK,
            JOB_LAST_RESULT,
            JOB_LAST_SUCCESS,
            JOB_SINCE,
            JOB_DURATION,
            JOB_EXPECTED,
            JOB_PERIOD,
            JOB_ROWS,
            JOB_VOLUME,
            JOB_PROGRESS,
            JOB_NEXT,
            JOB_LATE,
            MAINTENANCE,
            MAINTENANCE_SINCE,
            MAINTENANCE_UNTIL,
        ),
    ),
    Group(
        "Sources and connectors",
        "The way from the databases to the broker.",
        (
            SLOT_RETAINED,
            SLOT_LIMIT,
            SLOT_SHARE,
            SLOT_STATE,
            SLOT_ACTIVE,
            CONNECTOR_STATE,
            CONNECTOR_TASKS,
            HEARTBEAT,
            HEARTBEAT_AGE,
        ),
    ),
    Group(
        "Reconciliation",
        "The newest comparison of each flow.",
        (RECONCILED, RECONCILIATION_STATE, COMPARED, DIFFERENCES, REPAIRED, UNREPAIRED),
    ),
    Group(
        "Workers",
        "The processes and their parts.",
        (
            POOL_SIZE,
            POOL_IN_USE,
            POOL_WAITING,
            ROCKSDB,
            MEMORY,
            LOOP_DELAY,
            READY,
            STARTED,
            BUILD,
            WORKERS,
            COLLECTOR_UP,
            COLLECTOR_AGE,
        ),
    ),
    Group(
        "Callbacks",
        "The intake of signed callbacks.",
        (CALLBACKS_TOTAL, CALLBACK_SECONDS, CALLBACKS_READY, CALLBACKS_STARTED, CALLBACKS_BUILD),
    ),
)

METRICS: Final = {metric.name: metric for group in GROUPS for metric in group.metrics}
