"""A connection of the HTTP server that a slow or talkative client cannot hold: what uvicorn has no setting for."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from callbacks.problems import MEDIA_TYPE, Problem, problem_body


class GuardedConnection(H11Protocol):
    """Cuts off whoever takes longer than ``seconds`` for one request, and whoever opens one connection too many.

    The deadline holds from the first byte of a request to its last, on a new connection from the beginning; between two requests
    uvicorn's own keep-alive timeout holds. Make a subclass with :func:`guarded`.
    """

    seconds: float
    max_connections: int

    _cut_off: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or refuse at once: an answer would need a place as well."""
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            transport.abort()
        else:
            self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came and look whether a request is still on its way."""
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Look again: the next request may have begun already."""
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP, as every other problem is answered."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # an answer is under way: there is no place for another
            return
        body = problem_body(Problem.MALFORMED_REQUEST, msg)
        headers = [("content-type", MEDIA_TYPE), ("content-length", str(len(body))), ("connection", "close")]
        response = h11.Response(status_code=Problem.MALFORMED_REQUEST.status, headers=headers, reason=b"Bad Request")
        for event in (response, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _look(self) -> None:
        if not self._request_is_arriving():
            self._disarm()
        elif self._cut_off is None:
            self._arm()

    def _request_is_arriving(self) -> bool:
        unread, _ = self.conn.trailing_data
        return self.conn.their_state is h11.SEND_BODY or (self.conn.their_state is h11.IDLE and bool(unread))

    def _arm(self) -> None:
        self._cut_off = self.loop.call_later(self.seconds, self.transport.abort)

    def _disarm(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None


def guarded(seconds: float, max_connections: int) -> type[GuardedConnection]:
    """The class of connections with these limits, as uvicorn takes it."""
    return type("Connection", (GuardedConnection,), {"seconds": seconds, "max_connections": max_connections})
