"""Has the charts' samples taken, by one of Faust's timers in every worker; the table's key has each taken once."""

from __future__ import annotations

import faust

from app.undisturbed import undisturbed
from sinks import flow_samples
from sinks.pool import Pool


class Sampling:
    """``pool``: connections to the database where workers report."""

    def __init__(self, app: faust.App, pool: Pool) -> None:
        self._pool = pool
        app.timer(flow_samples.SLOT.total_seconds())(self.take)

    async def take(self) -> None:
        """Fill the present slot: charts are not worth an error."""
        await undisturbed(self._pool, flow_samples.take, "no sample of the flows")
