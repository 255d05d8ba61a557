"""An aiopg connection that never leaves a closed socket registered with the event loop.

libpq closes and opens sockets while it connects, and closes one when the server goes away; aiopg then forgets the reader but
not the writer. uvloop keeps the dead registration under the descriptor's number and refuses the next connection that gets
that number, again and again (seen: every worker crashed in an outage of the database).
"""

from __future__ import annotations

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
        descriptor, writing = self._fileno, self._writing
        aiopg.Connection._ready(weak_self)  # noqa: SLF001 - what we extend
        if writing and self._fileno is None:
            self._loop.remove_writer(descriptor)

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
        if self._fileno is not None:
            self._loop.remove_reader(self._fileno)
            if self._writing:
                self._loop.remove_writer(self._fileno)
        self._fileno, self._writing = None, False
