"""Our schema's migrations: SQL files, each applied once, in order, in a transaction of its own."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import class_row

FOLDER: Final = Path(__file__).resolve().parent.parent / "deploy" / "migrations"

Connection = psycopg.Connection[Any]

_FILE_NAME: Final = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
# Two migrations at once wait for one another on this key. PostgreSQL hashes it, so that no other program meets it.
_LOCK: Final = "smart-sync/migrations"
_HISTORY: Final = b"""
CREATE TABLE IF NOT EXISTS sync.migration (
    version     integer     PRIMARY KEY,
    name        text        NOT NULL,
    checksum    text        NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)
"""


class MigrationError(Exception):
    """The files and the database contradict each other; the message says how and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file. ``checksum`` is SHA-256 over its text in UTF-8 with Unix line ends."""

    version: int
    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Sixty-four hexadecimal digits."""
        return hashlib.sha256(self.statements.encode()).hexdigest()

    def __str__(self) -> str:
        return f"{self.version:04d}_{self.name}"


@dataclass(frozen=True)
class Applied:
    """A row of ``sync.migration``."""

    version: int
    name: str
    checksum: str
    applied_at: datetime


def load_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """Read all files, lowest version first; raises :class:`MigrationError` for names or versions that do not fit."""
    migrations = sorted(map(_read, folder.glob("*.sql")), key=lambda migration: migration.version)
    versions = [migration.version for migration in migrations]
    if versions != list(range(1, len(versions) + 1)):
        raise MigrationError(f"{folder}: versions are {versions}; they count from 1 without a gap or a repetition")
    return tuple(migrations)


def applied_migrations(connection: Connection) -> tuple[Applied, ...]:
    """Read what the database has, lowest version first; empty where our schema does not exist."""
    history = connection.execute("SELECT FROM pg_tables WHERE schemaname = 'sync' AND tablename = 'migration'")
    if history.fetchone() is None:
        return ()
    with connection.cursor(row_factory=class_row(Applied)) as cursor:
        cursor.execute("SELECT version, name, checksum, applied_at FROM sync.migration ORDER BY version")
        return tuple(cursor.fetchall())


def contradictions(migrations: Sequence[Migration], applied: Sequence[Applied]) -> list[str]:
    """Return what applying more cannot put right: files that changed afterwards, versions without a file."""
    files = {migration.version: migration for migration in migrations}
    problems = []
    for done in applied:
        file = files.get(done.version)
        label = f"migration {done.version:04d}_{done.name}"
        if file is None:
            problems.append(f"{label} was applied but has no file: this program is older than the database, update it")
        elif file.checksum != done.checksum:
            problems.append(f"{label} was applied with another text: restore it, put the change in a new file")
    return problems


def pending_migrations(migrations: Sequence[Migration], applied: Sequence[Applied]) -> tuple[Migration, ...]:
    """Those that the database does not have yet."""
    done = {each.version for each in applied}
    return tuple(migration for migration in migrations if migration.version not in done)


@contextmanager
def exclusively(connection: Connection) -> Iterator[None]:
    """Hold the lock that only one session has; a second one waits here. The server frees it when the session ends."""
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (_LOCK,))
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (_LOCK,))


def apply_pending(connection: Connection, migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """Apply what is missing and return it; call it inside :func:`exclusively`, on an autocommit connection.

    Raises :class:`MigrationError` before the first change, ``psycopg.Error`` with the failed file's transaction rolled
    back; the files before it stay applied.
    """
    applied = applied_migrations(connection)
    if problems := contradictions(migrations, applied):
        raise MigrationError("; ".join(problems))
    pending = pending_migrations(migrations, applied)
    for migration in pending:
        _apply(connection, migration)
    return pending


def _apply(connection: Connection, migration: Migration) -> None:
    with connection.transaction():
        connection.execute(migration.statements.encode())
        connection.execute(_HISTORY)
        connection.execute(
            "INSERT INTO sync.migration (version, name, checksum) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.checksum),
        )


def _read(file: Path) -> Migration:
    match = _FILE_NAME.fullmatch(file.name)
    if match is None:
        raise MigrationError(f"{file}: a migration is named like 0001_what_it_does.sql")
    return Migration(int(match["version"]), match["name"], file.read_text(encoding="utf-8"))
