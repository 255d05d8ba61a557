"""Requests that the intake of callbacks must refuse, with a canary in each part of a request."""

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from callbacks.settings import SenderSettings
from flows.ml_alerts import ALERT_CALLBACK
from stack.folder import PROJECT_ROOT
from stack.managed_process import Command, ManagedProcess
from tests.support.callbacks import PLATFORM, Sender, body_of
from tests.support.canaries import Canary
from tests.support.installation import Installation
from tests.support.waiting import eventually

SECONDS = 30.0


@dataclass(frozen=True)
class Spoiled:
    """What is different from a good request. `document`: instead of the body; `headers`: of what is signed already."""

    changes: dict[str, Any] = field(default_factory=dict)
    document: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    path: str = ALERT_CALLBACK.path
    query: dict[str, str] | None = None


PARTS: Mapping[str, Callable[[str], Spoiled]] = {
    "value": lambda word: Spoiled({"created_at": word}),
    "name": lambda word: Spoiled({word: word}),
    "enum": lambda word: Spoiled({"severity": word}),
    "too large": lambda word: Spoiled({"message": word * 2**16}),
    "document": lambda word: Spoiled(document=word),
    "signature": lambda word: Spoiled(headers={"webhook-signature": f"v1,{word}"}),
    "sender": lambda word: Spoiled(headers={"webhook-sender": word}),
    "id": lambda word: Spoiled(headers={"webhook-id": word}),
    "media type": lambda word: Spoiled(headers={"content-type": f"text/{word}"}),
    "path": lambda word: Spoiled(path=f"/callbacks/{word}"),
    "query": lambda word: Spoiled(query={"q": word}, headers={"webhook-signature": "v1,AAAA"}),
}


def refused(installation: Installation) -> Iterator[tuple[Canary, bytes]]:
    """Post each to an intake that runs meanwhile, and return its canary with the whole answer."""
    with _intake(installation) as client:
        for part, spoil in PARTS.items():
            canary = Canary(f"callback: {part}", f"canary{secrets.token_hex(5)}")
            answer = client.send(_request(client, installation, spoil(canary.value)))
            assert answer.is_client_error, f"{part}: {answer.status_code} {answer.text}"
            yield canary, answer.content + str(answer.headers).encode()


def _request(client: httpx.Client, installation: Installation, spoiled: Spoiled) -> httpx.Request:
    body = spoiled.document or body_of(ALERT_CALLBACK, **spoiled.changes)
    senders = SenderSettings(_env_file=installation.stack.folder.env_file).callbacks.senders  # type: ignore[call-arg]
    headers = Sender(PLATFORM, senders[PLATFORM].keys[0].get_secret_value()).headers(body, "msg_canary")
    return client.build_request(
        "POST", spoiled.path, content=body.encode(), headers=headers | spoiled.headers, params=spoiled.query
    )


@contextmanager
def _intake(installation: Installation) -> Iterator[httpx.Client]:
    folder, environment = installation.stack.folder, installation.environment
    process = ManagedProcess("callbacks", folder.log("callbacks"), folder.pids / "callbacks.json")
    process.start(Command([sys.executable, "-m", "callbacks"], environment, PROJECT_ROOT))
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{environment['SYNC_CALLBACKS__PORT']}", timeout=SECONDS) as client:
            eventually(lambda: _answers(client), "the intake answers", within=SECONDS)
            yield client
    finally:
        process.stop()


def _answers(client: httpx.Client) -> bool:
    try:
        return client.get("/livez").is_success
    except httpx.TransportError:
        return False
