"""Quix Streams with its PostgreSQL sink as a contender."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bench.peer import Peer
from bench.peer_table import NULL_TEXT, PeerTable
from bench.peers import peer_python
from bench.process import Launch
from bench.stage import BENCH_SCHEMA, Stage

PROGRAM = Path(__file__).parent / "programs" / "quix.py"


@dataclass
class Quix(Peer):
    """Quix Streams; see ``programs/quix.py``, which runs in the peers' own environment."""

    name: ClassVar = "quix streams"

    @property
    def table(self) -> PeerTable:
        """Texts: the sink takes a batch's columns from its first row, so that no value may be null."""
        return PeerTable(self.flow, "quix_streams", texts=True)

    def launch(self, stage: Stage) -> Launch:
        """Compose the command."""
        topic, columns = self.flow.topic, ",".join(self.table.columns)
        state = str(stage.stack.folder.root / "quix")
        arguments = [self.group, topic, BENCH_SCHEMA, self.table.name, columns, NULL_TEXT, state]
        return Launch([str(peer_python(stage.say)), str(PROGRAM), *arguments])
