"""The plain loop as a contender: the ceiling for the product's packages."""

import sys
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.peer_table import PeerTable
from bench.process import Launch
from bench.stage import Stage, new_name
from flows.model import Flow


@dataclass
class PlainLoop:
    """aiokafka, orjson, aiopg; see :mod:`bench.programs.plain_loop`."""

    flow: Flow
    name: str = "plain loop"
    group: str = ""

    @property
    def table(self) -> PeerTable:
        """Where it writes."""
        return PeerTable(self.flow, "plain_loop")

    def prepare(self, stage: Stage) -> None:
        """Make the table; a new group begins at the beginning."""
        self.group = new_name("plain-loop")
        self.table.create(stage)

    def launch(self, stage: Stage) -> Launch:  # noqa: ARG002 the protocol's signature
        """Compose the command; settings are in the environment."""
        record = ", ".join(f"{name} {sql_type}" for name, sql_type in self.table.columns.items())
        program = [sys.executable, "-m", "bench.programs.plain_loop"]
        return Launch([*program, self.group, self.flow.topic, self.table.qualified, f"{record}, lsn bigint"])

    def visible(self, stage: Stage) -> int:
        """Count the rows."""
        return self.table.count(stage)

    def started(self, stage: Stage) -> bool:
        """Look for a row."""
        return self.table.any_row(stage)

    def finished(self, stage: Stage, backlog: Backlog) -> bool:
        """Look for the last row of every partition: it writes each partition in order."""
        return self.table.present(stage, list(backlog.last_keys)) == len(backlog.last_keys)

    def verify(self, stage: Stage) -> None:
        """Compare with the source."""
        self.table.verify(stage)

    def clear(self, stage: Stage) -> None:
        """Drop the table."""
        self.table.drop(stage)
