"""Senders of callbacks as tests need them, and a stand-in for Kafka that keeps what it is given."""

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from standardwebhooks import Webhook

from callbacks.publisher import Unavailable
from callbacks.settings import Callbacks
from flows.callback_model import Callback
from flows.ml_alerts import ALERT_CALLBACK
from schemas.callback_body import example_body
from schemas.callback_record import CallbackRecord

FORECASTER, PLATFORM, ROTATING, STRANGER = "forecast-service", "ai-platform-07", "rotating", "stranger"


def key_of(name: str, number: int = 1) -> str:
    """A signing key that is always the same for a name."""
    return "whsec_" + base64.b64encode(f"{name}-{number}".encode().ljust(32, b".")).decode()


def settings(**changes: Any) -> Callbacks:
    """Three senders: one for each route, and one that has two keys and may post to both."""
    senders = {
        FORECASTER: {"keys": [key_of(FORECASTER)], "routes": ["forecasts"]},
        PLATFORM: {"keys": [key_of(PLATFORM)], "routes": ["alerts"]},
        ROTATING: {"keys": [key_of(ROTATING, 2), key_of(ROTATING, 1)], "routes": ["alerts", "forecasts"]},
    }
    return Callbacks.model_validate({"senders": senders, **changes})


def body_of(callback: Callback, **changes: Any) -> str:
    """A good body of just now."""
    return json.dumps(example_body(callback) | {callback.time: datetime.now(UTC).isoformat()} | changes)


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Return when the condition holds; ``TimeoutError`` when it does not within the seconds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 what is waited for is another's doing and sets no event
            await asyncio.sleep(0)


class Sender:
    """Signs with the library itself, not with our code."""

    def __init__(self, name: str = PLATFORM, key: str | None = None) -> None:
        self._name = name
        self._webhook = Webhook(key or key_of(name))
        self._numbers: Iterator[int] = count(1)

    def headers(self, body: str, webhook_id: str | None = None, late: timedelta = timedelta()) -> dict[str, str]:
        """All headers of a request; ``late``: how long ago it was signed."""
        webhook_id = webhook_id or f"msg_{next(self._numbers)}"
        signed_at = datetime.now(UTC) - late
        return {
            "content-type": "application/json",
            "webhook-sender": self._name,
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(signed_at.timestamp())),
            "webhook-signature": self._webhook.sign(webhook_id, signed_at, body),
        }

    def request(self, body: str, path: str = ALERT_CALLBACK.path, **more: str) -> bytes:
        """A whole HTTP/1.1 request, for a socket."""
        fields = {"host": "intake.example", "content-length": str(len(body.encode())), **self.headers(body), **more}
        return "\r\n".join([f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", body]).encode()


class FakePublisher:
    """Keeps records. ``failure``: what the next deliveries raise."""

    def __init__(self) -> None:
        self.records: list[CallbackRecord] = []
        self.failure: Exception | None = None

    async def publish(self, record: CallbackRecord) -> None:
        if self.failure is not None:
            raise self.failure
        self.records.append(record)

    async def problem(self) -> str | None:
        return None if self.failure is None else str(self.failure)

    def away(self) -> None:
        """From now on no broker can be reached."""
        self.failure = Unavailable("no broker can be reached")
