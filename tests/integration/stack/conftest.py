import psycopg
import pytest


@pytest.fixture(scope="session")
def query():
    """Run one statement as one of the roles: `section` is "" (worker), "_CONNECT" or "_ADMIN"."""

    def run(stack, statement, *, name="warehouse", section="_ADMIN"):
        prefix = f"SYNC_{name.upper()}"
        with psycopg.connect(
            host=stack.env[f"{prefix}__HOST"],
            port=stack.env[f"{prefix}__PORT"],
            dbname=stack.env[f"{prefix}__DBNAME"],
            user=stack.env[f"{prefix}{section}__USER"],
            password=stack.env[f"{prefix}{section}__PASSWORD"],
            autocommit=True,
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return run
