"""Connections for commands and for migrations."""

from typing import Any, Final, Protocol

import psycopg

import settings
from flows.tables import Database

Connection = psycopg.Connection[Any]


class Sessions(Protocol):
    """A session with each database."""

    def __getitem__(self, database: Database, /) -> Connection:
        """Opened when first asked for; raises ``psycopg.OperationalError``."""
        ...


# A host that vanished without a word is noticed within half a minute; TCP alone would wait for hours.
_LIVENESS: Final = {
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "25000",  # milliseconds
}


def connect(database: settings.Database, login: settings.Credentials | None = None, *, statement_timeout: int = 0) -> Connection:
    """Open an autocommit session in UTC as the worker, or as ``login``; raises ``psycopg.OperationalError``.

    ``statement_timeout`` in milliseconds; 0: operators wait as long as they like.
    """
    return psycopg.connect(
        **(database.conninfo(login) | _LIVENESS),  # type: ignore[arg-type] # libpq keywords are text, also those with a type of their own
        options=f"-c timezone=UTC -c lock_timeout={database.lock_timeout} -c statement_timeout={statement_timeout}",
        autocommit=True,
    )
