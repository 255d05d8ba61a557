"""Who is told of alerts by the notifier: checks every signature as a stranger would, and keeps what it was told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from callbacks.settings import new_signing_key
from stack.ports import LOOPBACK


@dataclass
class AlertReceiver:
    """What it was told, in order. ``refused``: messages that were not signed with ``key``."""

    key: str = field(default_factory=new_signing_key)
    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0
    _seen: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def take(self, body: str, headers: dict[str, str]) -> int:
        """The answer to a message; one that came before is not kept again."""
        with self._lock:
            try:
                message = Webhook(self.key).verify(body, headers)
            except WebhookVerificationError:
                self.refused += 1
                return 401
            if headers["webhook-id"] not in self._seen:
                self._seen.add(headers["webhook-id"])
                self.told.append(message)
            return 204

    def firing(self, alert: str, **labels: str) -> bool:
        """Whether the last thing that was told of it is that it fires."""
        with self._lock:
            told = [each["type"] for each in self.told if each["alert"] == alert and labels.items() <= each["labels"].items()]
        return told[-1:] == ["alert.firing"]


@contextmanager
def alert_receiver() -> Iterator[AlertReceiver]:
    """One that listens on loopback while the block runs."""
    receiver = AlertReceiver()
    server = ThreadingHTTPServer((LOOPBACK, 0), _handler(receiver))
    receiver.url = f"http://{LOOPBACK}:{server.server_port}/alerts"
    thread = Thread(target=server.serve_forever, name="receiver of alerts", daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(receiver: AlertReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            json.loads(body)
            self.send_response(receiver.take(body, {name.lower(): value for name, value in self.headers.items()}))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """What it is told stands in ``told``."""

    return Handler
