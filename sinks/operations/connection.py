"""Connections for commands and for migrations."""

from typing import Any

import psycopg

from settings import Credentials, Database

Connection = psycopg.Connection[Any]


def connect(database: Database, login: Credentials | None = None) -> Connection:
    """Open an autocommit session in UTC as the worker, or as ``login``; raises ``psycopg.OperationalError``."""
    return psycopg.connect(
        **database.conninfo(login),  # type: ignore[arg-type] # libpq keywords are text, also those with a type of their own
        options=f"-c timezone=UTC -c lock_timeout={database.lock_timeout}",
        autocommit=True,
    )
