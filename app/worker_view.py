"""This worker's own state, for its pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka.errors import KafkaError

from streams.status import StatusBook
from views.protocols import Unanswered


class OwnState:
    """Fulfils ``views.protocols.WorkerView``."""

    def __init__(self, name: str, status: StatusBook) -> None:
        self._name = name
        self._status = status

    async def snapshot(self) -> Mapping[str, Any]:
        """The state that is also reported to the database, with the worker's name."""
        try:
            return {"name": self._name, **await self._status.state()}
        except (KafkaError, OSError, TimeoutError) as error:
            raise Unanswered("the Kafka broker does not answer") from error
