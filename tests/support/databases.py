"""The two databases as their administrators see them."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from settings import Credentials, Database, Settings

Parameters = Sequence[Any] | Mapping[str, Any]


class Administrator:
    """One statement at a time on one database, across restarts of its server."""

    def __init__(self, database: Database, login: Credentials | None) -> None:
        assert login is not None, "the local stack has administrators"
        self._conninfo = database.conninfo(login)
        self._connection: psycopg.Connection[Any] | None = None

    def connect(self) -> psycopg.Connection[Any]:
        """Open a connection of the caller's own, autocommit."""
        return psycopg.connect(**self._conninfo, autocommit=True)  # type: ignore[arg-type] # libpq keywords are text

    def rows(self, statement: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        """Run a statement and return its rows; none for a command. One more attempt where the server went away."""
        try:
            return self._attempt(statement, parameters)
        except psycopg.OperationalError:
            if self._connection is not None and not self._connection.broken:
                raise
            self.close()
            return self._attempt(statement, parameters)

    def value(self, statement: str, parameters: Parameters = ()) -> Any:
        """Return the first column of the first row, None without rows."""
        found = self.rows(statement, parameters)
        return found[0][0] if found else None

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _attempt(self, statement: str, parameters: Parameters) -> list[tuple[Any, ...]]:
        if self._connection is None:
            self._connection = self.connect()
        cursor = self._connection.execute(statement.encode(), parameters or None)
        return cursor.fetchall() if cursor.description else []


def administrators(settings: Settings) -> tuple[Administrator, Administrator]:
    """Return those of warehouse and citizen."""
    return (
        Administrator(settings.warehouse, settings.warehouse_admin),
        Administrator(settings.citizen, settings.citizen_admin),
    )


def recreate(settings: Settings) -> None:
    """Make both databases new and empty, without the replication slots that belonged to the old ones."""
    for database, login in (
        (settings.warehouse, settings.warehouse_admin),
        (settings.citizen, settings.citizen_admin),
    ):
        maintenance = Administrator(database.model_copy(update={"dbname": "postgres"}), login)
        with maintenance.connect() as connection:
            _drop_slots(connection, database.dbname)
            name = sql.Identifier(database.dbname)
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))


def _drop_slots(connection: psycopg.Connection[Any], dbname: str) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE database = %s AND active_pid IS NOT NULL",
        (dbname,),
    )
    connection.execute("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = %s", (dbname,))
