"""Has the charts' samples taken and forgotten, by Faust's timers in every worker; the table's key has each taken once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

import faust

from sinks import flow_samples
from sinks.pool import Pool, Session
from streams.outage import is_outage

log = logging.getLogger(__name__)

#: A batch holds many times what grows old meanwhile.
FORGET_SECONDS: Final = 300.0


class Sampling:
    """``pool``: connections to the database where workers report."""

    def __init__(self, app: faust.App, pool: Pool) -> None:
        self._pool = pool
        app.timer(flow_samples.SLOT.total_seconds())(self.take)
        app.timer(FORGET_SECONDS)(self.forget)

    async def take(self) -> None:
        """Fill the present slot."""
        await self._do(flow_samples.take)

    async def forget(self) -> None:
        """Remove old samples."""
        await self._do(flow_samples.forget)

    async def _do(self, work: Callable[[Session], Awaitable[None]]) -> None:
        """An error in a timer would end the worker, and with it the event flows: charts are not worth that."""
        try:
            async with self._pool.session() as session:
                await work(session)
        except Exception as error:
            if is_outage(error):
                log.warning("no sample of the flows: %s", type(error).__name__)
            else:
                log.exception("no sample of the flows: a defect of ours")
