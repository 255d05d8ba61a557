"""What all peers have in common: a table keyed by the source's primary key, written in the order of each partition."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from bench.backlog import Backlog
from bench.peer_table import PeerTable
from bench.stage import Stage
from flows.model import CapturedFlow


@dataclass
class Peer(ABC):
    """A contender but for its name and its launch. ``group``: its Kafka group; a new one begins at the beginning."""

    flow: CapturedFlow
    group: str = ""

    @property
    @abstractmethod
    def table(self) -> PeerTable:
        """Where it writes."""

    def prepare(self, stage: Stage) -> None:
        """Make the table anew and forget all positions."""
        self.group = stage.new_name(self.table.name)
        self.table.create(stage)

    def visible(self, stage: Stage) -> int:
        """Count the rows."""
        return self.table.count(stage)

    def started(self, stage: Stage) -> bool:
        """Look for a row."""
        return self.table.any_row(stage)

    def finished(self, stage: Stage, backlog: Backlog) -> bool:
        """Look for the last row of every partition."""
        return self.table.present(stage, list(backlog.last_keys)) == len(backlog.last_keys)

    def verify(self, stage: Stage) -> None:
        """Compare with the source."""
        self.table.verify(stage)

    def clear(self, stage: Stage) -> None:
        """Drop the table."""
        self.table.drop(stage)
