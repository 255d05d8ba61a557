"""What to do about a database error. The SQLSTATE decides, never the message."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

import psycopg
import psycopg2
import psycopg2.errorcodes

#: Of both drivers: that of sessions, and that of those which COPY.
DriverError = psycopg2.Error | psycopg.Error
DRIVER_ERRORS: Final = (psycopg2.Error, psycopg.Error)


class Remedy(Enum):
    """One remedy per class of error. 57014 never comes here: the session reports it as ``StatementTimeout``."""

    WAIT = auto()
    BISECT = auto()
    STOP = auto()


_TRANSIENT_CLASSES: Final = ("08", "53", "57P", "58")
_TRANSIENT_CODES: Final = frozenset({"25006", "25P03", "40001", "40P01", "55P03"})
_ROW_CLASSES: Final = ("22", "23", "54")


def remedy(sqlstate: str | None, *, connection_closed: bool) -> Remedy:
    """``sqlstate`` has five characters, or is ``None`` when the server said nothing.

    WAIT: an outage or a conflict; try again without limit. BISECT: one of the rows is
    not acceptable. STOP: the flow cannot go on without an operator.
    """
    if sqlstate is None:
        return Remedy.WAIT if connection_closed else Remedy.STOP
    if sqlstate in _TRANSIENT_CODES or sqlstate.startswith(_TRANSIENT_CLASSES):
        return Remedy.WAIT
    return Remedy.BISECT if sqlstate.startswith(_ROW_CLASSES) else Remedy.STOP


_LOST: Final = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def remedy_of(error: DriverError | OSError | TimeoutError) -> Remedy:
    """The remedy for an error of a driver; a failure to connect is an outage, whatever it is called."""
    if not isinstance(error, DRIVER_ERRORS):
        return Remedy.WAIT
    return remedy(_code(error), connection_closed=isinstance(error, _LOST))


def _code(error: DriverError) -> str | None:
    return error.sqlstate if isinstance(error, psycopg.Error) else error.pgcode


def described(error: DriverError) -> str:
    """The class of error and the objects concerned; never the message, which may quote a value."""
    code = _code(error)
    name = psycopg2.errorcodes.lookup(code) if code else type(error).__name__
    named = {"table": error.diag.table_name, "column": error.diag.column_name, "constraint": error.diag.constraint_name}
    return " ".join([f"{name} ({code})", *(f"{kind} {value}" for kind, value in named.items() if value)])
