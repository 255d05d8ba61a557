"""Carries out what operators order through the web view. Everything blocks, so it runs in threads, off the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from app.deeds import DEEDS, Hand
from batch_timers.jobs import JOBS
from cli.audited import undone, write_line
from cli.databases import Identity, databases
from cli.errors import EXPLAINED
from settings import Settings
from sinks.operations.audit import RefusedError, record, record_undone
from sinks.operations.connection import Connection
from views.actions import NotDoneError, Order

log = logging.getLogger(__name__)

#: Operators act seldom; a connector that takes its time must not keep others from pausing a flow.
AT_A_TIME: Final = 4
PLACE: Final = "web view"


class OperatorsDesk:
    """Fulfils ``views.actions.Desk``. Each order has connections of its own, which say who acts."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._threads = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="orders of operators")

    @property
    def jobs(self) -> Sequence[str]:
        """All of the calendar."""
        return [job.name for job in JOBS]

    async def perform(self, order: Order) -> str:
        """Do it and keep it in the audit, also when it was refused."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._do, order)

    async def note(self, actor: str, role: str, origin: str, deed: str, problem: str | None = None) -> None:
        """Keep in the audit who signed in and out, and who could not."""

        def write(session: Connection) -> None:
            if problem is None:
                record(session, actor, deed, PLACE)
            else:
                record_undone(session, actor, deed, PLACE, reason=None, why=RefusedError(problem))

        log.info("web view: %s by %s (%s) from %s%s", deed, actor, role, origin, f" refused: {problem}" if problem else "")
        await asyncio.get_running_loop().run_in_executor(self._threads, write_line, self._settings, Identity(role, origin), write)

    def close(self) -> None:
        """Take no more orders; those under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _do(self, order: Order) -> str:
        identity = Identity(order.who.role, order.origin)
        try:
            with databases(self._settings, identity) as sessions:
                hand = Hand(self._settings, sessions, order.who.name, order.reason)
                return DEEDS[order.action.name](hand, **order.values)
        except EXPLAINED as error:
            why = undone(error)
            write_line(self._settings, identity, lambda session: _keep(session, order, why))
            raise NotDoneError(str(why)) from None


def _keep(session: Connection, order: Order, why: Exception) -> None:
    record_undone(session, order.who.name, order.action.deed, order.subject, reason=order.reason, why=why)
