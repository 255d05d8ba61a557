"""The reconciliation of equal rows beside reladiff, once more in a worker, and of some that differ, which it repairs."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_timers.jobs import WEEKLY
from bench.batch_rows import load_people
from bench.batch_worker import RUN_SECONDS, UNPACED, BatchWorker, Ran, batch_worker, command
from bench.errors import BenchError
from bench.figures import Figure, Goal, Of
from bench.ours import Ours
from bench.peers import peer_python
from bench.psql_copy import expected
from bench.stage import BENCH_SCHEMA, Stage
from flows.golden_records import GOLDEN_RECORDS as FLOW

PROGRAM = Path(__file__).parent / "programs" / "reladiff_tables.py"
PEER = "reladiff"
DIFFERENCES = 100
#: Rows a second, against the peer's.
FASTER = Goal(Of.RATIO, lowest=3.0)
ALL = Goal(Of.VALUE, lowest=DIFFERENCES)
MEMORY = Goal(Of.VALUE, highest=150.0)
_VIEW = f"{BENCH_SCHEMA}.expected_{FLOW.name}"
_SPOIL = f"""
UPDATE {FLOW.target.table.qualified} SET city = 'spoilt' WHERE {FLOW.key} IN (
    SELECT {FLOW.key} FROM {FLOW.target.table.qualified} ORDER BY md5({FLOW.key}::text) LIMIT {DIFFERENCES})
"""  # noqa: S608 names of the definition


@dataclass(frozen=True)
class Reconciled:
    """Seconds for equal rows, ours and the peer's, and the same as a job of the worker.

    Then what was found and repaired of :data:`DIFFERENCES`.
    """

    rows: int
    seconds: float
    peer_seconds: float
    job: Ran
    found: int
    repaired: int
    repair_seconds: float


def measure_reconciliation(stage: Stage, rows: int) -> Reconciled:
    """Both must call equal what is equal, and find the same number of rows that differ."""
    load_people(stage, rows)
    ours = Ours(FLOW, alone=True)
    ours.prepare(stage)
    with batch_worker(stage, ours, UNPACED) as worker:
        worker.catch_up(FLOW)
        _make_view(stage)
        stage.source_of(FLOW).rows(f"VACUUM ANALYZE {FLOW.source.table.qualified}")
        stage.target_of(FLOW).rows(f"VACUUM ANALYZE {FLOW.target.table.qualified}")
        equal, peer = _reconciled("--dry-run"), _compared_by_peer(stage)
        stage.say(f"equal rows: ours {equal['seconds']:.1f} s, {PEER} {peer['seconds']:.1f} s")
        if (_differing(equal), peer["rows"]) != (0, 0):
            raise BenchError(f"equal rows: ours found {_differing(equal)} that differ, {PEER} {peer['rows']}")
        job = _job(worker, equal["expected"])
        stage.target_of(FLOW).rows(_SPOIL)
        seen = _compared_by_peer(stage)["rows"]
        repaired = _reconciled()
        Ours(FLOW).verify(stage)
    if seen != _differing(repaired):
        raise BenchError(f"of {DIFFERENCES} spoilt rows ours found {_differing(repaired)}, {PEER} {seen}")
    return Reconciled(
        rows=equal["expected"],
        seconds=equal["seconds"],
        peer_seconds=peer["seconds"],
        job=job,
        found=_differing(repaired),
        repaired=repaired["repaired"],
        repair_seconds=repaired["seconds"],
    )


def _make_view(stage: Stage) -> None:
    """The peer compares columns of one name: what the target must hold, under its names."""
    source, user = stage.source_of(FLOW), stage.address_of(FLOW.source.table.database).user
    source.rows(f"CREATE OR REPLACE VIEW {_VIEW} AS {expected(FLOW)}")
    source.rows(f"GRANT SELECT ON {_VIEW} TO {user}")


def _reconciled(*options: str) -> dict[str, Any]:
    """Run the command; what it says of the flow."""
    found: dict[str, Any] = command("reconcile", "run", FLOW.name, *options)["flows"][0]
    return found


def _job(worker: BatchWorker, rows: int) -> Ran:
    """As the calendar runs it, all rows equal."""
    ran = worker.run(FLOW.target.table.database, "jobs", "run", f"{WEEKLY}:{FLOW.name}")
    if ran.unchanged != rows:
        raise BenchError(f"{ran.job} called {ran.unchanged:,} of {rows:,} rows equal")
    return ran


def _differing(found: dict[str, Any]) -> int:
    return int(found["missing"] + found["extra"] + found["different"])


def _compared_by_peer(stage: Stage) -> dict[str, Any]:
    columns = ",".join(name for name in FLOW.target.column_names if name != FLOW.key)
    argv = [str(peer_python(stage.say)), str(PROGRAM), _VIEW, FLOW.target.table.qualified, FLOW.key, columns]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
    if done.returncode != 0:
        raise BenchError(f"{PEER} ended with code {done.returncode}:\n{done.stderr[-2000:]}")
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def reconciliation_figures(found: Reconciled) -> list[Figure]:
    """Rows a second, and what was repaired."""
    ours, theirs = found.rows / found.seconds, found.rows / found.peer_seconds
    return [
        Figure(f"comparison of {found.rows:,} equal rows", "rows/s", ours, PEER, theirs, FASTER),
        Figure("the same as a job of a worker", "rows/s", found.rows / found.job.seconds, PEER, theirs),
        Figure("memory of that worker, at most", "MB", found.job.peak_mb, "-", 0.0, MEMORY),
        Figure(f"{DIFFERENCES} differences among them, repaired", "rows", found.repaired, PEER, found.found, ALL),
    ]
