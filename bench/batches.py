"""Batch jobs: a full sync of all rows changed and of none, and an aggregate, beside `psql` COPY with a merge."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.batch_rows import load_events, load_people, load_profiles
from bench.batch_worker import RUN_SECONDS, UNPACED, BatchWorker, Ran, batch_worker
from bench.errors import BenchError
from bench.figures import Figure, Goal, Of, percentile
from bench.latency import WARM_UP_SECONDS
from bench.ours import Ours
from bench.probes import Families, ProbeFlow
from bench.psql_copy import NAME, PsqlCopy
from bench.stage import Stage
from bench.watches import hints_watch
from flows.golden_records import GOLDEN_RECORDS
from flows.model import RankedFlow
from flows.profile_summary import PROFILE_SUMMARY
from flows.row_model import MirrorFlow
from flows.summary_model import SummaryFlow
from flows.user_behavior import USER_BEHAVIOR

#: Rows a second, against the peer's.
CHANGED = Goal(Of.RATIO, lowest=0.6)
#: Rows a second, against our own first run.
UNCHANGED = Goal(Of.RATIO, lowest=3.0)
AGGREGATE = Goal(Of.VALUE, highest=10.0)
MEMORY = Goal(Of.VALUE, highest=150.0)
LATENCY = Goal(Of.VALUE, highest=500.0)
PROBES_PER_SECOND = 20.0
#: What makes every row of a target differ from its source, and no version newer.
_SPOILT = {
    GOLDEN_RECORDS.name: "UPDATE public.profile_data SET city = 'spoilt ' || coalesce(city, '')",
    PROFILE_SUMMARY.name: """UPDATE sync.profile_member SET content = content || '{"region": "spoilt"}';
                             UPDATE public.profile_summary SET region = 'spoilt'""",
}


@dataclass(frozen=True)
class Synced:
    """A flow's runs: all rows changed, none changed; and the peer's seconds for the same rows, all changed."""

    flow: str
    rows: int
    changed: Ran
    unchanged: Ran
    peer_seconds: float


@dataclass(frozen=True)
class Batches:
    """All runs. ``paced_p99_ms``: commit → visible while a full sync goes at its usual pace."""

    synced: tuple[Synced, ...]
    aggregate: Ran
    aggregate_peer_seconds: float
    events: int
    paced_p99_ms: float


def measure_batches(stage: Stage, ranked: RankedFlow, rows: int, events: int, families: Families) -> Batches:
    """Measure everything with one worker, then the latency with another that is paced."""
    load_people(stage, rows)
    load_events(stage, events, max(events // 5, 1))
    Ours(PROFILE_SUMMARY).prepare(stage)
    ours = Ours(GOLDEN_RECORDS)
    ours.prepare(stage)
    with batch_worker(stage, ours, UNPACED) as worker:
        worker.catch_up(GOLDEN_RECORDS)
        load_profiles(stage, rows)  # not before: whose golden record is not there yet would be parked
        worker.catch_up(PROFILE_SUMMARY)
        worker.catch_up(ranked)
        synced = tuple(_sync(worker, flow) for flow in (GOLDEN_RECORDS, PROFILE_SUMMARY))
        aggregate, peer = _aggregate(worker)
    with batch_worker(stage, ours, {}) as worker:
        p99 = _latency_during(worker, ranked, families)
    return Batches(synced, aggregate, peer, events, p99)


def _sync(worker: BatchWorker, flow: MirrorFlow | SummaryFlow) -> Synced:
    stage, database = worker.stage, flow.target.table.database
    for table in (flow.target.table.qualified, "sync.row_version", "sync.profile_member"):
        stage.of(database).rows(f"ANALYZE {table}")
    stage.of(database).rows(_SPOILT[flow.name])
    peer = PsqlCopy(stage, flow)
    peer.prepare()
    runs = []
    for _ in range(2):
        stage.of(database).rows("CHECKPOINT")
        runs.append(worker.run(database, "backfill", flow.name, "--detach"))
        Ours(flow).verify(stage)
    seconds = _peer_seconds(peer)
    changed, unchanged = runs
    if changed.written < changed.read or unchanged.written:
        raise BenchError(f"{flow.name}: of {changed.read:,} rows {changed.written:,} were written, then {unchanged.written:,}")
    return Synced(flow.name, unchanged.read, changed, unchanged, seconds)


def _aggregate(worker: BatchWorker) -> tuple[Ran, float]:
    target = USER_BEHAVIOR.target.table
    worker.stage.of(target.database).rows(f"TRUNCATE {target.qualified}")
    peer = PsqlCopy(worker.stage, USER_BEHAVIOR)
    peer.prepare()
    ran = worker.run(target.database, "jobs", "run", USER_BEHAVIOR.schedule.job)
    return ran, _peer_seconds(peer)


def _peer_seconds(peer: PsqlCopy) -> float:
    """Verified: it has come to the same rows as we."""
    peer.stage.of(peer.flow.target.table.database).rows("CHECKPOINT")
    seconds = peer.run()
    peer.verify()
    peer.stage.say(f"{NAME} of {peer.flow.name}: {seconds:.1f} s")
    return seconds


def _latency_during(worker: BatchWorker, ranked: RankedFlow, families: Families) -> float:
    """Probes go on for as long as the run does; some before it, so that the worker is at work."""
    with ProbeFlow(worker.stage, families, PROBES_PER_SECOND, hints_watch(ranked)) as warm_up:
        warm_up.run(WARM_UP_SECONDS)
    database = GOLDEN_RECORDS.target.table.database
    worker.stage.of(database).rows(_SPOILT[GOLDEN_RECORDS.name])
    with ThreadPoolExecutor(1) as pool, ProbeFlow(worker.stage, families, PROBES_PER_SECOND, hints_watch(ranked)) as probes:
        run = pool.submit(worker.run, database, "backfill", GOLDEN_RECORDS.name, "--detach")
        probes.until(run.done, "the paced full sync has ended", RUN_SECONDS)
        run.result()
    return percentile([wait * 1000 for _, wait in probes.latencies.values()], 0.99)


def batch_figures(found: Batches) -> list[Figure]:
    """Rows a second, seconds, megabytes and milliseconds."""
    figures = [figure for synced in found.synced for figure in _synced_figures(synced)]
    peak = max(ran.peak_mb for synced in found.synced for ran in (synced.changed, synced.unchanged))
    title = f"{found.events:,} events aggregated"
    return [
        *figures,
        Figure(title, "s", found.aggregate.seconds, NAME, found.aggregate_peer_seconds, AGGREGATE),
        Figure("memory of the worker, at most", "MB", max(peak, found.aggregate.peak_mb), "-", 0.0, MEMORY),
        Figure("commit → visible during a paced full sync, p99", "ms", found.paced_p99_ms, "-", 0.0, LATENCY),
    ]


def _synced_figures(synced: Synced) -> list[Figure]:
    title, rows = f"full sync of {synced.rows:,} rows, {synced.flow}", synced.rows
    first, second = rows / synced.changed.seconds, rows / synced.unchanged.seconds
    return [
        Figure(f"{title}, all changed", "rows/s", first, NAME, rows / synced.peer_seconds, CHANGED),
        Figure(f"{title}, unchanged", "rows/s", second, "ours, all changed", first, UNCHANGED),
    ]
