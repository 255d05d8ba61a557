"""Kafka Connect's REST interface, as far as we use it."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any, Final

import httpx

from schemas.redaction import redact_message
from settings import PROGRAM, Connect
from sinks.operations.audit import RefusedError

TIMEOUT: Final = 20.0  # seconds; Connect checks a configuration against the database before it answers
REBALANCE_SECONDS: Final = 30.0
PAUSE: Final = 0.25  # seconds between two looks
RUNNING: Final = "RUNNING"
FAILED: Final = "FAILED"
MISSING: Final = "MISSING"

_REBALANCING: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE})


@dataclass(frozen=True)
class TaskStatus:
    """``trace`` is the first line of what went wrong, without values."""

    id: int
    state: str
    worker: str
    trace: str | None


@dataclass(frozen=True)
class ConnectorStatus:
    """``state`` is Connect's word, or :data:`MISSING`."""

    name: str
    state: str
    worker: str | None
    trace: str | None
    tasks: list[TaskStatus]

    @property
    def running(self) -> bool:
        """Whether the connector and at least one task run, and none does anything else."""
        return self.state == RUNNING and {task.state for task in self.tasks} == {RUNNING}

    @property
    def failed(self) -> bool:
        """Whether the connector or a task has given up and waits for a restart."""
        return FAILED in {self.state, *(task.state for task in self.tasks)}


def _is_rebalancing(answer: httpx.Response) -> bool:
    """Of the moment before a rebalance begins, which follows the first of two new connectors, Connect speaks as of an error."""
    expected = answer.status_code == HTTPStatus.INTERNAL_SERVER_ERROR and "rebalance is expected" in answer.text
    return expected or answer.status_code in _REBALANCING


class ConnectRest:
    """One Connect cluster. Every method raises ``httpx.TransportError`` when nobody answers."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def apply(self, name: str, configuration: dict[str, str]) -> None:
        """Create or change a connector; raises :class:`RefusedError` for a configuration that does not work.

        What is as it should be is not sent: Connect would restart the connector all the same.
        """
        if self._configuration(name) == configuration:
            return
        answer = self._send("PUT", f"/connectors/{name}/config", json=configuration)
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"Kafka Connect refuses connector {name}: {_text(answer)}")
        _check(answer)

    def status(self, name: str) -> ConnectorStatus:
        """Read how a connector does."""
        answer = self._send("GET", f"/connectors/{name}/status")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return ConnectorStatus(name, MISSING, None, None, [])
        _check(answer)
        found = answer.json()
        connector = found["connector"]
        tasks = [_task(each) for each in found["tasks"]]
        return ConnectorStatus(name, connector["state"], connector["worker_id"], _first_line(connector), tasks)

    def restart(self, name: str) -> None:
        """Restart what has failed of a connector: itself, its tasks, or both; what runs is left alone."""
        self._act(name, "POST", "restart?includeTasks=true&onlyFailed=true")

    def stop(self, name: str) -> None:
        """Have a connector give up its tasks; they end some time later."""
        self._act(name, "PUT", "stop")

    def resume(self, name: str) -> None:
        """Let a stopped connector go on."""
        self._act(name, "PUT", "resume")

    def delete_offsets(self, name: str, timeout: float) -> None:
        """Make Connect forget how far a stopped connector has read. It refuses until the tasks have ended."""
        deadline = time.monotonic() + timeout
        while True:
            answer = self._send("DELETE", f"/connectors/{name}/offsets")
            if answer.status_code != HTTPStatus.BAD_REQUEST or time.monotonic() > deadline:
                return _check(answer)
            time.sleep(PAUSE)

    def _act(self, name: str, method: str, action: str) -> None:
        """Raises :class:`RefusedError` when there is no such connector."""
        answer = self._send(method, f"/connectors/{name}/{action}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            raise RefusedError(f"there is no connector {name}; `{PROGRAM} connect apply` makes it")
        _check(answer)

    def _configuration(self, name: str) -> dict[str, str] | None:
        answer = self._send("GET", f"/connectors/{name}/config")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        _check(answer)
        return {key: value for key, value in answer.json().items() if key != "name"}

    def _send(self, method: str, path: str, json: dict[str, str] | None = None) -> httpx.Response:
        """Send a request, again and again while Connect rebalances."""
        deadline = time.monotonic() + REBALANCE_SECONDS
        while True:
            answer = self._client.request(method, path, json=json)
            if not _is_rebalancing(answer) or time.monotonic() > deadline:
                return answer
            time.sleep(PAUSE)


@contextmanager
def connect_rest(settings: Connect) -> Iterator[ConnectRest]:
    """Give the REST interface inside the block."""
    login = None
    if settings.username is not None and settings.password is not None:
        login = httpx.BasicAuth(settings.username, settings.password.get_secret_value())
    with httpx.Client(base_url=settings.url, auth=login, timeout=TIMEOUT, verify=_trusted()) as client:
        yield ConnectRest(client)


@cache
def _trusted() -> ssl.SSLContext:
    """Reading the authorities takes longer than a request, and pages ask every few seconds."""
    return httpx.create_ssl_context()


def _check(answer: httpx.Response) -> None:
    if answer.is_error:
        raise RefusedError(f"Kafka Connect answers {answer.status_code} for {answer.request.url.path}: {_text(answer)}")


def _text(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.reason_phrase


def _task(found: dict[str, Any]) -> TaskStatus:
    return TaskStatus(found["id"], found["state"], found["worker_id"], _first_line(found))


def _first_line(found: dict[str, Any]) -> str | None:
    trace = found.get("trace")
    return redact_message(str(trace).partition("\n")[0]) if trace else None
