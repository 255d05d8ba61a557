"""The notifier in a worker, where a setting asks for it."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import Any

import httpx

from alerts.notifier import Notifier
from app.kept_connection import KeptConnection
from metrics.exposition import Source
from settings import Settings


class Notifying:
    """``looks``: what the worker knows of all parts. Without a receiver nothing is done."""

    def __init__(self, settings: Settings, looks: Iterable[Source]) -> None:
        self._connection = KeptConnection(settings.citizen)
        self._client = httpx.AsyncClient(timeout=settings.notifier.timeout)
        self._notifier = Notifier(settings.notifier, settings.worker.name, self._connection.ask, looks, self._client)
        self._wanted = bool(settings.notifier.url)

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run for it."""
        return [self._notifier.run()] if self._wanted else []

    async def close(self) -> None:
        """Let all go."""
        self._connection.close()
        await self._client.aclose()
