"""What takes part in a measurement: the product and its peers, behind one face."""

from typing import Protocol

from bench.backlog import Backlog
from bench.process import Launch
from bench.stage import Stage


class Contender(Protocol):
    """Consumes the flow's topic from its beginning into the target's database, with one process."""

    @property
    def name(self) -> str:
        """What tables and logs call it."""

    def prepare(self, stage: Stage) -> None:
        """Make or empty its tables and forget all positions."""

    def launch(self, stage: Stage) -> Launch:
        """Compose the command that starts it."""

    def visible(self, stage: Stage) -> int:
        """Count the records whose effect is visible now; may be expensive."""

    def started(self, stage: Stage) -> bool:
        """Tell whether the effect of any record is visible; cheap."""

    def finished(self, stage: Stage, backlog: Backlog) -> bool:
        """Tell whether the effect of the last record of every partition is visible; cheap."""

    def verify(self, stage: Stage) -> None:
        """Raise ``BenchError`` unless the result is right to the last value; the process still runs."""

    def clear(self, stage: Stage) -> None:
        """Remove its tables."""
