"""The two databases of a command: opened when first asked for, closed together."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from flows.tables import Database
from settings import ConfigurationError, ConnectorLogin, Credentials, Settings
from sinks.operations.audit import identify
from sinks.operations.connection import Connection, connect
from sinks.provision import Roles


@dataclass(frozen=True)
class Identity:
    """In what role and from where somebody acts, for the audit."""

    role: str
    origin: str


#: Whoever may run commands has the settings, hence all there is to have.
SHELL: Final = Identity("shell", os.uname().nodename)


class Databases:
    """Sessions of the worker's role, at most one per database."""

    def __init__(self, settings: Settings, closing: ExitStack, identity: Identity) -> None:
        self._settings = settings
        self._identity = identity
        self._closing = closing
        self._open: dict[Database, Connection] = {}

    def __getitem__(self, database: Database) -> Connection:
        if database not in self._open:
            session = connect(self._settings.databases[database.value])
            self._open[database] = self._closing.enter_context(session)
            identify(session, self._identity.role, self._identity.origin)
        return self._open[database]


@contextmanager
def databases(settings: Settings, identity: Identity = SHELL) -> Iterator[Databases]:
    """Give sessions inside the block; ``psycopg.OperationalError`` comes when one is first used."""
    with ExitStack() as closing:
        yield Databases(settings, closing, identity)


def connect_login(settings: Settings, database: Database) -> ConnectorLogin | None:
    """Return Debezium's login."""
    return {Database.WAREHOUSE: settings.warehouse_connect, Database.CITIZEN: settings.citizen_connect}[database]


def admin_logins(settings: Settings) -> dict[Database, Credentials]:
    """Return the administrators' logins; raises :class:`ConfigurationError` that names all that are not set."""
    logins = {Database.WAREHOUSE: settings.warehouse_admin, Database.CITIZEN: settings.citizen_admin}
    missing = [f"SYNC_{database.name}_ADMIN__USER is not set" for database, login in logins.items() if login is None]
    if missing:
        raise ConfigurationError([f"{problem}: migrations need the database's administrator" for problem in missing])
    return {database: login for database, login in logins.items() if login is not None}


def roles(settings: Settings, database: Database) -> Roles:
    """Return the roles that log in to a database."""
    login = connect_login(settings, database)
    return Roles(settings.databases[database.value].user, login.user if login else None)
