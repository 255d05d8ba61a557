"""The way of one callback, in the order of its checks: what is cheap and asks no trust comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callbacks.json_limits import check_json_limits
from callbacks.problems import Problem, ProblemError, retry_later
from callbacks.publisher import Publisher, Unavailable
from callbacks.request_body import read_body
from callbacks.senders import KnownSender, bad_signature
from callbacks.settings import Callbacks
from callbacks.signed_headers import TOLERANCE, SignedHeaders, read_headers
from flows.callback_model import Callback
from schemas.callback_body import BodyReader, InvalidBody, MalformedBody, Violation
from schemas.callback_record import Delivery, record_maker

ACCEPTED: Final = 202


@dataclass(frozen=True)
class Doorway:
    """What the routes share: limits, senders, Kafka, the clock (aware, UTC)."""

    settings: Callbacks
    senders: Mapping[str, KnownSender]
    publisher: Publisher
    now: Callable[[], datetime]


class Occupancy:
    """How many requests are under way, over all routes."""

    def __init__(self, places: int) -> None:
        self._places = places

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for the block; raises :class:`ProblemError` (503) when none is free."""
        if self._places <= 0:
            raise ProblemError(Problem.OVERLOADED, "Send it again later.", headers=retry_later())
        self._places -= 1
        try:
            yield
        finally:
            self._places += 1


class Intake:
    """Takes the messages of one route. Holds nothing of them: a repeated message becomes the same record again."""

    def __init__(self, callback: Callback, doorway: Doorway, occupancy: Occupancy) -> None:
        self._callback = callback
        self._doorway = doorway
        self._occupancy = occupancy
        self._reader = BodyReader(callback)
        self._record = record_maker(callback)

    async def accept(self, request: Request) -> Response:
        """Answer 202 once the brokers have the record; raises :class:`ProblemError` for every other answer."""
        received_at = self._doorway.now()
        with self._occupancy.place():
            headers = read_headers(request.headers, received_at, self._doorway.settings.max_body_bytes)
            sender, body = await self._authenticated(request, headers)
            request.state.sender, request.state.webhook_id = sender.name, headers.webhook_id
            sender.check_route(self._callback.route)
            sender.check_rate()
            row = self._row(body, received_at)
            await self._store(Delivery(headers.webhook_id, sender.name, received_at, row))
        return JSONResponse({"accepted": headers.webhook_id}, ACCEPTED)

    async def _authenticated(self, request: Request, headers: SignedHeaders) -> tuple[KnownSender, bytes]:
        sender = self._doorway.senders.get(headers.sender)
        if sender is None:
            raise bad_signature()
        settings = self._doorway.settings
        body = await read_body(request, settings.max_body_bytes, settings.read_timeout)
        sender.check_signature(headers, body)
        return sender, body

    def _row(self, body: bytes, now: datetime) -> dict[str, Any]:
        check_json_limits(body)
        try:
            row = self._reader.read(body)
        except MalformedBody:
            raise ProblemError(Problem.MALFORMED_BODY, "The body is not JSON in UTF-8.") from None
        except InvalidBody as error:
            raise _invalid(*error.violations) from None
        name = self._callback.time
        if row[name] > now + TOLERANCE:
            raise _invalid(Violation(f"#/{name}", f"is more than {TOLERANCE.seconds // 60} minutes ahead of now"))
        return row

    async def _store(self, delivery: Delivery) -> None:
        try:
            await self._doorway.publisher.publish(self._record(delivery))
        except Unavailable:
            detail = "Send it again later with the same webhook-id: it is stored once."
            raise ProblemError(Problem.UNAVAILABLE, detail, headers=retry_later()) from None


def _invalid(*violations: Violation) -> ProblemError:
    return ProblemError(Problem.INVALID_BODY, "See errors; the OpenAPI document describes the body.", violations=violations)
