"""The database and the roles of a cluster. Tables and grants are the migrations' business."""

from collections.abc import Mapping

import psycopg
from psycopg import Connection, sql
from psycopg.rows import TupleRow

from stack.stack_env import DATABASES

CONNECT_SECONDS = 2


def admin_password(name: str, variables: Mapping[str, str]) -> str:
    """Return the superuser's password of the cluster `name`."""
    return variables[f"SYNC_{name.upper()}_ADMIN__PASSWORD"]


def admin_connection(name: str, variables: Mapping[str, str]) -> Connection[TupleRow]:
    """Connect as superuser, autocommit, to the maintenance database; OperationalError when it does not answer."""
    prefix = f"SYNC_{name.upper()}"
    return psycopg.connect(
        host=variables[f"{prefix}__HOST"],
        port=int(variables[f"{prefix}__PORT"]),
        user=variables[f"{prefix}_ADMIN__USER"],
        password=admin_password(name, variables),
        dbname="postgres",
        sslmode=variables[f"{prefix}__SSLMODE"],
        connect_timeout=CONNECT_SECONDS,
        autocommit=True,
    )


def bootstrap(name: str, variables: Mapping[str, str]) -> None:
    """Make the database and the two login roles where they are missing, and set the roles' passwords."""
    prefix = f"SYNC_{name.upper()}"
    with admin_connection(name, variables) as connection:
        for section, attributes in ((prefix, "LOGIN"), (f"{prefix}_CONNECT", "LOGIN REPLICATION")):
            role, password = variables[f"{section}__USER"], variables[f"{section}__PASSWORD"]
            _ensure_role(connection, role, attributes, password)
        _ensure_database(connection, DATABASES[name])


def _ensure_role(connection: Connection[TupleRow], role: str, attributes: str, password: str) -> None:
    """Send the SCRAM verifier, as psql's password command does: the password never leaves this process."""
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    known = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    statement = "CREATE ROLE {} " if known is None else "ALTER ROLE {} "
    connection.execute(sql.SQL(statement + attributes + " PASSWORD {}").format(sql.Identifier(role), verifier))


def _ensure_database(connection: Connection[TupleRow], database: str) -> None:
    if connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
