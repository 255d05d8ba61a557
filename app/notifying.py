"""The notifier in a worker, and what it needs of its own."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from alerts.notifier import Notifier
from alerts.registry import alerts_with
from app.kept_connection import KeptConnection
from metrics.exposition import Source
from settings import Settings


class Notifying:
    """``looks``: what the worker knows of all parts. Connects to nothing before it runs."""

    def __init__(self, settings: Settings, looks: Iterable[Source]) -> None:
        self._connection = KeptConnection(settings.citizen)
        self._client = httpx.AsyncClient(timeout=settings.notifier.timeout)
        alerts = alerts_with(settings.alerts)
        self._notifier = Notifier(settings.notifier, alerts, settings.worker.name, self._connection.ask, looks, self._client)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        await self._notifier.run()

    async def close(self) -> None:
        """Let all go."""
        self._connection.close()
        await self._client.aclose()
