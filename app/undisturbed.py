"""Work of a timer that must not end the worker, and with it the event flows."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from sinks.pool import Pool, Session
from streams.outage import is_outage

log = logging.getLogger(__name__)


async def undisturbed(pool: Pool, work: Callable[[Session], Awaitable[None]], otherwise: str) -> None:
    """Do it in a session; log ``otherwise`` when it cannot be done now."""
    try:
        async with pool.session() as session:
            await work(session)
    except Exception as error:
        if is_outage(error):
            log.warning("%s: %s", otherwise, type(error).__name__)
        else:
            log.exception("%s: a defect of ours", otherwise)
