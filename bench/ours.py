"""The product as a contender: Faust workers, started as the Procfile starts them."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.backlog import Backlog
from bench.errors import BenchError
from bench.process import Launch
from bench.stage import Stage
from flows.model import CapturedFlow
from stack.procfile import read_procfile
from stack.supervisor import DEFAULT_PROCFILE
from tests.support.oracle import compare

STATE_TABLES = ("ledger", "dead_letter", "worker", "flow_state", "audit")
# Candidates expire while we look, and the worker looks for expired ones every 20 s: give it two such rounds.
VERIFY_SECONDS = 45.0
VERIFY_PAUSE = 0.5


@dataclass
class Ours:
    """One flow on any number of workers. Every :meth:`prepare` begins a new life: application id, data, ledger."""

    flow: CapturedFlow
    name: ClassVar = "ours"
    application_id: str = ""

    def prepare(self, stage: Stage) -> None:
        """Empty target and state; the changelog of the new application id does not exist yet."""
        self.application_id = stage.new_name("bench")
        tables = [self.flow.target.table.qualified, *(f"sync.{name}" for name in STATE_TABLES)]
        stage.citizen.rows(f"TRUNCATE {', '.join(tables)}")

    def data_dir(self, stage: Stage, worker: str) -> Path:
        """Return where a worker keeps RocksDB."""
        return stage.stack.folder.data(f"{self.application_id}-{worker}")

    def launch(self, stage: Stage, worker: str = "worker-1") -> Launch:
        """Compose the command of one worker."""
        variables = {
            "SYNC_WORKER__NAME": worker,
            "SYNC_WORKER__APPLICATION_ID": self.application_id,
            "SYNC_WORKER__DATA_DIR": str(self.data_dir(stage, worker)),
            "SYNC_WORKER__WEB_PORT": str(stage.stack.ports.reserve(worker)),
        }
        return Launch(read_procfile(DEFAULT_PROCFILE)["worker"].argv, variables)

    def visible(self, stage: Stage) -> int:
        """Count by the ledger: it moves in the transaction of the rows."""
        statement = "SELECT coalesce(sum(next_offset - first_offset), 0) FROM sync.ledger WHERE flow = %s AND topic = %s"
        return int(stage.citizen.value(statement, (self.flow.name, self.flow.topic)))

    def started(self, stage: Stage) -> bool:
        """Tell whether a chunk is committed."""
        return self.visible(stage) > 0

    def finished(self, stage: Stage, backlog: Backlog) -> bool:
        """Tell whether the ledger stands at the ends."""
        return self.visible(stage) >= backlog.records

    def verify(self, stage: Stage) -> None:
        """Compare every row with the SQL oracle over the source, until both agree on what has expired."""
        deadline = time.monotonic() + VERIFY_SECONDS
        while not (comparison := compare(stage.warehouse, stage.citizen)).equal:
            if time.monotonic() > deadline:
                raise BenchError(f"{self.flow.target.table.qualified} differs from the oracle: {comparison}")
            time.sleep(VERIFY_PAUSE)
        if letters := stage.citizen.value("SELECT count(*) FROM sync.dead_letter"):
            raise BenchError(f"{letters} dead letters, none was due")

    def clear(self, stage: Stage) -> None:
        """Leave everything: later measurements go on from here, and the state folder goes as a whole."""
