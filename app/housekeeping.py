"""Has what is old forgotten in both databases, by a timer in every worker: a batch each time, whoever comes first."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import faust

from app.undisturbed import undisturbed
from flows.tables import Database
from settings import Retention
from sinks import flow_samples, retention
from sinks.pool import Pool

#: A batch holds many times what grows old meanwhile.
SECONDS: Final = 300.0


class Housekeeping:
    """``pools``: the worker's connections to both databases."""

    def __init__(self, app: faust.App, pools: Mapping[Database, Pool], kept: Retention) -> None:
        self._pools = pools
        self._kept = kept
        app.timer(SECONDS)(self.forget)

    async def forget(self) -> None:
        """Remove old samples of the charts, and what is long settled."""
        await undisturbed(self._pools[Database.CITIZEN], flow_samples.forget, "old samples of flows stay")
        for pool in self._pools.values():
            await undisturbed(pool, partial(retention.forget, retention=self._kept), "what is old stays")
