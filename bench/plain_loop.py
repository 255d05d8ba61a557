"""The plain loop as a contender: the ceiling for the product's packages."""

import sys
from dataclasses import dataclass
from typing import ClassVar

from bench.peer import Peer
from bench.peer_table import PeerTable
from bench.process import Launch
from bench.stage import Stage


@dataclass
class PlainLoop(Peer):
    """aiokafka, orjson, aiopg; see :mod:`bench.programs.plain_loop`."""

    name: ClassVar = "plain loop"

    @property
    def table(self) -> PeerTable:
        """All columns in the source's types."""
        return PeerTable(self.flow, "plain_loop")

    def launch(self, stage: Stage) -> Launch:  # noqa: ARG002 the protocol's signature
        """Compose the command; where everything is, it reads from the environment."""
        record = ", ".join(f"{name} {sql_type}" for name, sql_type in self.table.columns.items())
        program = [sys.executable, "-m", "bench.programs.plain_loop"]
        return Launch([*program, self.group, self.flow.topic, self.table.qualified, f"{record}, lsn bigint"])
