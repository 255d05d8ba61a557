"""Connections to the two databases as the platform's administrators, and their schema."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

import psycopg
from psycopg.rows import TupleRow

from settings import ConfigurationError, Settings

SCHEMA_FOLDER = Path(__file__).parent / "schema"

Connection: TypeAlias = psycopg.Connection[TupleRow]


class DatabaseName(StrEnum):
    """The two databases, by the names that settings and schema files give them."""

    WAREHOUSE = "warehouse"
    CITIZEN = "citizen"


def connect(settings: Settings, name: DatabaseName) -> Connection:
    """Open an autocommit connection as the database's administrator.

    Raises :class:`settings.ConfigurationError` without administrator, :class:`psycopg.OperationalError` when out of
    reach.
    """
    database, administrator = {
        DatabaseName.WAREHOUSE: (settings.warehouse, settings.warehouse_admin),
        DatabaseName.CITIZEN: (settings.citizen, settings.citizen_admin),
    }[name]
    if administrator is None:
        variable = f"SYNC_{name.upper()}_ADMIN__USER"
        raise ConfigurationError([f"{variable} is not set; the demo's tables belong to the platform's administrator"])
    conninfo = database.conninfo(administrator) | {"application_name": "demo-platform"}
    return psycopg.connect(**conninfo, autocommit=True)  # type: ignore[arg-type]


def apply_schema(conn: Connection, name: DatabaseName) -> None:
    """Create what is missing of the database's demo tables; one transaction, repeatable."""
    statements = (SCHEMA_FOLDER / f"{name}.sql").read_bytes()
    with conn.transaction():
        conn.execute(statements)
