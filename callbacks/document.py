"""The page `docs/callbacks.openapi.json`. Renew it by ``python -m callbacks.document > docs/callbacks.openapi.json``."""

from __future__ import annotations

import json
import sys

from callbacks.publisher import Unavailable
from callbacks.settings import Callbacks
from callbacks.site import create_application
from schemas.callback_record import CallbackRecord


class _NoPublisher:
    async def publish(self, record: CallbackRecord) -> None:
        raise Unavailable(record.topic)

    async def problem(self) -> str | None:
        return "there is no Kafka here"


def page() -> str:
    """The OpenAPI document that the intake serves, ending in a line end."""
    document = create_application(Callbacks(), _NoPublisher()).openapi()
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
