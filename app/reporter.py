"""The service that starts what belongs to a worker, and reports while it runs."""

from __future__ import annotations

from typing import Final, Protocol

import mode

from app.allocator import give_back_free_memory

STATUS_SECONDS: Final = 1.0
#: Between two looks for workers that have been silent for too long.
FORGET_SECONDS: Final = 300.0


class Reporting(Protocol):
    """What there is to start and to report."""

    async def start(self, service: mode.Service) -> None:
        """Add the services that run beside ``service``."""

    async def give_back(self) -> None:
        """Let other workers go on with the batch runs that are at work here."""

    async def report(self) -> None:
        """Tell the database what the worker does."""

    async def forget_silent(self) -> None:
        """Take workers off the list that are gone for good."""


class Reporter(mode.Service):
    """Starts and stops what belongs to the worker, and reports while it runs."""

    def __init__(self, reporting: Reporting) -> None:
        super().__init__()
        self._reporting = reporting

    async def on_start(self) -> None:
        """Start the coordinators."""
        await self._reporting.start(self)

    async def on_stop(self) -> None:
        """Give back what another worker can go on with at once."""
        await self._reporting.give_back()

    @mode.Service.task
    async def _report(self) -> None:
        while not self.should_stop:
            await self._reporting.report()
            give_back_free_memory()
            await self.sleep(STATUS_SECONDS)

    @mode.Service.task
    async def _forget(self) -> None:
        while not self.should_stop:
            await self._reporting.forget_silent()
            await self.sleep(FORGET_SECONDS)
