"""Every worker looks at the sources: whatever cannot come by events any more raises an alarm."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Final

import faust

from flows.registry import flows_from
from flows.replication import replication_name
from flows.tables import Database
from sinks import upstream_watch
from sinks.pool import Pool
from sinks.upstream_watch import Watched
from streams.outage import is_outage

log = logging.getLogger(__name__)

#: A slot that is gone for shorter was not missed by a connector, which tries for longer before it gives up.
LOOK_SECONDS: Final = 10.0


class UpstreamWatch:
    """One look at each source for each of its targets, again and again."""

    def __init__(self, app: faust.App, pools: Mapping[Database, Pool], worker: str) -> None:
        self._pools = pools
        self._worker = worker
        self._known: set[str] = set()
        app.timer(LOOK_SECONDS)(self.look)

    async def look(self) -> None:
        """An outage is no loss: the next look tells."""
        for source, target, watched in _watched():
            try:
                lost = await upstream_watch.look(watched, self._pools[source], self._pools[target], self._worker)
            except Exception as error:  # an error in a timer would end the worker
                if is_outage(error):
                    log.warning("%s is not looked at: %s", source.value, type(error).__name__)
                else:
                    log.exception("%s: a defect of ours", source.value)
                continue
            for detail in set(lost.values()) - self._known:
                log.error("upstream loss: %s", detail)
            self._known |= set(lost.values())


def _watched() -> Iterator[tuple[Database, Database, Watched]]:
    for source in Database:
        targets: dict[Database, list[str]] = {}
        for flow in flows_from(source):
            targets.setdefault(flow.target.table.database, []).append(flow.name)
        for target, names in targets.items():
            yield source, target, Watched(source.value, replication_name(source), tuple(names))
