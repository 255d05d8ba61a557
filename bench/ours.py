"""The product as a contender: Faust workers, started as the Procfile starts them."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.backlog import Backlog
from bench.errors import BenchError
from bench.process import Launch
from bench.stage import Stage
from flows.model import CapturedFlow, RankedFlow
from flows.registry import FLOWS
from flows.tables import Database
from sinks.operations.flow_control import pause
from stack.procfile import read_procfile
from stack.supervisor import DEFAULT_PROCFILE
from tests.support.flow_oracles import Difference, compare_rows
from tests.support.oracle import Comparison, compare

# What the product remembers in a database, but for what stays true when everything begins anew.
STATE = """
SELECT string_agg(format('sync.%I', tablename), ', ') FROM pg_tables
WHERE schemaname = 'sync' AND tablename NOT IN ('migration', 'heartbeat', 'source')
"""
# Candidates expire while we look, and the worker looks for expired ones every 20 s: give it two such rounds.
VERIFY_SECONDS = 45.0
VERIFY_PAUSE = 0.5


@dataclass
class Ours:
    """One flow on any number of workers. Every :meth:`prepare` begins a new life: application id, data, ledger.

    ``alone``: the other flows are paused, because records wait for them, too.
    """

    flow: CapturedFlow
    name: ClassVar = "ours"
    alone: bool = False
    application_id: str = ""
    metrics_url: str = ""

    def prepare(self, stage: Stage) -> None:
        """Empty target and state; the changelog of the new application id does not exist yet."""
        self.application_id = stage.new_name("bench")
        for database in Database:
            administrator = stage.of(database)
            administrator.rows(f"TRUNCATE {administrator.value(STATE)}")
        stage.target_of(self.flow).rows(f"TRUNCATE {self.flow.target.table.qualified} CASCADE")
        if self.alone:
            self._pause_others(stage)

    def _pause_others(self, stage: Stage) -> None:
        for flow in FLOWS:
            if flow is not self.flow:
                with stage.target_of(flow).connect() as connection:
                    pause(connection, flow, "bench", f"{self.flow.name} is measured")

    def data_dir(self, stage: Stage, worker: str) -> Path:
        """Return where a worker keeps RocksDB."""
        return stage.stack.folder.data(f"{self.application_id}-{worker}")

    def launch(self, stage: Stage, worker: str = "worker-1") -> Launch:
        """Compose the command of one worker."""
        port = stage.stack.ports.reserve(worker)
        self.metrics_url = f"http://127.0.0.1:{port}/metrics"
        variables = {
            "SYNC_WORKER__NAME": worker,
            "SYNC_WORKER__APPLICATION_ID": self.application_id,
            "SYNC_WORKER__DATA_DIR": str(self.data_dir(stage, worker)),
            "SYNC_WORKER__WEB_PORT": str(port),
        }
        return Launch(read_procfile(DEFAULT_PROCFILE)["worker"].argv, variables)

    def visible(self, stage: Stage) -> int:
        """Count by the ledger: it moves in the transaction of the rows."""
        statement = "SELECT coalesce(sum(next_offset - first_offset), 0) FROM sync.ledger WHERE flow = %s AND topic = %s"
        return int(stage.target_of(self.flow).value(statement, (self.flow.name, self.flow.topic)))

    def started(self, stage: Stage) -> bool:
        """Tell whether a chunk is committed."""
        return self.visible(stage) > 0

    def finished(self, stage: Stage, backlog: Backlog) -> bool:
        """Tell whether the ledger stands at the ends."""
        return self.visible(stage) >= backlog.records

    def verify(self, stage: Stage) -> None:
        """Compare every row with the SQL oracle over the source, until both agree on what has expired."""
        deadline = time.monotonic() + VERIFY_SECONDS
        while not (comparison := self._compare(stage)).equal:
            if time.monotonic() > deadline:
                raise BenchError(f"{self.flow.target.table.qualified} differs from the oracle: {comparison}")
            time.sleep(VERIFY_PAUSE)
        if letters := stage.target_of(self.flow).value("SELECT count(*) FROM sync.dead_letter"):
            raise BenchError(f"{letters} dead letters, none was due")

    def _compare(self, stage: Stage) -> Comparison | Difference:
        if isinstance(self.flow, RankedFlow):
            return compare(stage.warehouse, stage.citizen)
        with stage.source_of(self.flow).connect() as source, stage.target_of(self.flow).connect() as target:
            return compare_rows(self.flow.name, source, target)

    def clear(self, stage: Stage) -> None:
        """Leave everything: later measurements go on from here, and the state folder goes as a whole."""
