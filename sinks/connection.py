"""An aiopg connection that never leaves a closed socket registered with the event loop.

libpq closes and opens sockets while it connects, and closes one when the server goes away; aiopg then forgets the reader but
not the writer. uvloop keeps the dead registration under the descriptor's number and refuses the next connection that gets
that number, again and again (seen: every worker crashed in an outage of the database). It also asks `select` whether a socket
is closed, which refuses descriptors from 1024 on: a worker has as many when its tables have many files.
"""

from __future__ import annotations

import os
import weakref
from typing import Any

import aiopg
import psycopg2
from psycopg2.extensions import POLL_OK, POLL_WRITE


class Connection(aiopg.Connection):
    """``await Connection.open(...)`` instead of ``aiopg.connect``."""

    _established = False

    @classmethod
    async def open(cls, timeout: float, **parameters: Any) -> Connection:
        """Connect; ``timeout`` in seconds also bounds every statement. Raises ``psycopg2.Error`` or ``TimeoutError``."""
        connection = cls(None, timeout, enable_json=False, enable_hstore=False, enable_uuid=False, **parameters)
        await connection._connect()
        return connection

    @staticmethod
    def _ready(weak_self: weakref.ref[Any]) -> None:
        self = weak_self()
        if self is None:
            return
        if not self._established:
            self._connecting(weak_self)
            return
        try:
            state = self._conn.poll()
        except psycopg2.Error as error:
            self._failed(error)
        else:
            self._went_on(state, weak_self)

    def _failed(self, error: psycopg2.Error) -> None:
        """The statement, or the whole connection."""
        if not _is_open(self._fileno):
            self._forget()
        self._stop_writing()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)

    def _went_on(self, state: int, weak_self: weakref.ref[Any]) -> None:
        """One step of a statement."""
        if state != POLL_WRITE:
            self._stop_writing()
        elif not self._writing and self._fileno is not None:
            self._loop.add_writer(self._fileno, self._ready, weak_self)
            self._writing = True
        if state == POLL_OK and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _stop_writing(self) -> None:
        if self._writing and self._fileno is not None:
            self._loop.remove_writer(self._fileno)
        self._writing = False

    def _connecting(self, weak_self: weakref.ref[Any]) -> None:
        """One step of libpq's connecting, during which no socket of ours is registered."""
        self._forget()
        try:
            state = self._conn.poll()
        except psycopg2.Error as error:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)
            return
        self._fileno = self._conn.fileno()
        self._loop.add_reader(self._fileno, self._ready, weak_self)
        if state == POLL_WRITE:
            self._loop.add_writer(self._fileno, self._ready, weak_self)
            self._writing = True
        elif state == POLL_OK:
            self._established = True
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_result(None)

    def _forget(self) -> None:
        self._stop_writing()
        if self._fileno is not None:
            self._loop.remove_reader(self._fileno)
        self._fileno = None


def _is_open(descriptor: int | None) -> bool:
    try:
        return descriptor is not None and os.fstat(descriptor) is not None
    except OSError:
        return False
