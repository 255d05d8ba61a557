"""A worker of the product that runs batch jobs, and the runs that are asked of it by its own commands."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bench.drain import MEGABYTE, wait_until
from bench.errors import BenchError
from bench.ours import Ours
from bench.process import Launch, MeasuredProcess
from bench.stage import Stage
from flows.model import CapturedFlow
from flows.tables import Database
from stack.folder import PROJECT_ROOT

RUN_SECONDS = 1800.0
LOOK_SECONDS = 0.1
#: As fast as it goes, and without waiting for Debezium's notes: nobody asks here what events have missed.
UNPACED: Mapping[str, str] = {
    "SYNC_BATCH__ROWS_PER_SECOND": "0",
    "SYNC_BATCH__PEAK_ROWS_PER_SECOND": "0",
    "SYNC_BATCH__EVENTS_WAIT": "0",
}


_ENDED = """
SELECT state, reason, extract(epoch FROM ended_at - started_at)::float, rows_read, rows_written, rows_unchanged
FROM sync.job_run WHERE run_id = %s AND ended_at IS NOT NULL
"""


@dataclass(frozen=True)
class Ran:
    """A run of a job. ``seconds``: by the ledger, from its start to its end. Counts are of rows."""

    job: str
    seconds: float
    read: int
    written: int
    unchanged: int
    peak_mb: float
    machine_load: float


@dataclass(frozen=True)
class BatchWorker:
    """A running one."""

    stage: Stage
    process: MeasuredProcess

    def catch_up(self, flow: CapturedFlow) -> None:
        """Wait until it has applied what the source holds, and the target is as the oracle says."""
        ours, source = Ours(flow), self.stage.source_of(flow)
        rows = int(source.value(f"SELECT count(*) FROM {flow.source.table.qualified}"))  # noqa: S608 names of the definition

        def applied() -> bool:
            time.sleep(LOOK_SECONDS)
            return ours.visible(self.stage) >= rows

        wait_until(applied, self.process, f"{flow.name} is applied")
        ours.verify(self.stage)

    def run(self, database: Database, *arguments: str) -> Ran:
        """Ask for a run as an operator does, and wait for it; raises ``BenchError`` unless it succeeds."""
        asked = command(*arguments, "--force")
        peak = self.process.rss_bytes()
        deadline = time.monotonic() + RUN_SECONDS
        while not (found := self.stage.of(database).rows(_ENDED, (asked["run_id"],))):
            if time.monotonic() > deadline:
                raise BenchError(f"{asked['job']} has not ended in {RUN_SECONDS:.0f} s")
            peak = max(peak, self.process.rss_bytes())
            time.sleep(LOOK_SECONDS)
        state, reason, seconds, read, written, unchanged = found[0]
        if state != "succeeded":
            raise BenchError(f"{asked['job']} ended as {state}: {reason}")
        ran = Ran(asked["job"], seconds, read, written, unchanged, peak / MEGABYTE, os.getloadavg()[0])
        self.stage.say(
            f"{ran.job}: {ran.seconds:.1f} s, {ran.written:,} written, {ran.unchanged:,} unchanged, {ran.peak_mb:.0f} MB"
        )
        return ran


@contextmanager
def batch_worker(stage: Stage, ours: Ours, variables: Mapping[str, str]) -> Iterator[BatchWorker]:
    """Start a worker that goes on where the last one of ``ours`` has ended."""
    launch, process = ours.launch(stage), MeasuredProcess("batch worker", stage.stack.folder)
    try:
        process.start(Launch(launch.argv, {**launch.env, **variables}))
        yield BatchWorker(stage, process)
    finally:
        process.stop()


def command(*arguments: str) -> dict[str, Any]:
    """Run an operator's command and return its document; raises ``BenchError``. Code 1 may come with a document, too."""
    argv = [sys.executable, "-m", "cli", *arguments, "--json"]
    done = subprocess.run(argv, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False, timeout=RUN_SECONDS)
    try:
        document: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise BenchError(f"`{' '.join(argv)}` ended with code {done.returncode}: {done.stderr[-2000:]}") from None
    return document
