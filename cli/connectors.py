"""The connectors that the flows need: their configurations, and bringing them up."""

import asyncio
import time
from typing import Final

from cli.connect_rest import PAUSE, ConnectorStatus, ConnectRest, connect_rest
from cli.databases import connect_login
from cli.topics import ensure_topics
from flows.registry import FLOWS, flows_from
from flows.replication import replication_name
from flows.tables import Database
from schemas.connector import SourceLogin, connector_configuration
from schemas.topics import all_topics
from settings import ConfigurationError, ConnectorLogin, Settings

# What has failed and was restarted is called failed until Connect has heard of its new state.
SETTLE_SECONDS: Final = 3.0


def apply_connectors(settings: Settings, timeout: float) -> tuple[list[str], list[ConnectorStatus]]:
    """Bring topics and connectors to the state that the flows need.

    Returns the topics that were created and how the connectors do after at most ``timeout`` seconds. Raises
    :class:`ConfigurationError` before anything is changed when a login is not set.
    """
    configurations = connector_configurations(settings)
    created = asyncio.run(ensure_topics(settings.kafka, all_topics(FLOWS)))
    with connect_rest(settings.connect) as rest:
        for name, configuration in configurations.items():
            rest.apply(name, configuration)
        return created, _wait_until_running(rest, timeout)


def restart_connectors(settings: Settings, timeout: float) -> list[ConnectorStatus]:
    """Restart what has failed and return how the connectors do after at most ``timeout`` seconds."""
    with connect_rest(settings.connect) as rest:
        for name in connector_names():
            rest.restart(name)
        return _wait_until_running(rest, timeout)


def connector_statuses(settings: Settings) -> list[ConnectorStatus]:
    """Ask Connect how they do."""
    with connect_rest(settings.connect) as rest:
        return [rest.status(name) for name in connector_names()]


def connector_configurations(settings: Settings) -> dict[str, dict[str, str]]:
    """Derive every connector's configuration; raises :class:`ConfigurationError` that names all missing logins."""
    logins = {database: connect_login(settings, database) for database in _sources()}
    missing = [database for database, login in logins.items() if login is None]
    if missing:
        problems = [f"SYNC_{each.name}_CONNECT__USER is not set: the connector needs a login" for each in missing]
        raise ConfigurationError(problems)
    return {
        replication_name(database): connector_configuration(database, FLOWS, _source_login(settings, database, login))
        for database, login in logins.items()
        if login is not None
    }


def source_of(name: str) -> Database:
    """Return the database that a connector reads from; raises ``KeyError`` that says which connectors there are."""
    sources = {replication_name(database): database for database in _sources()}
    if name not in sources:
        raise KeyError(f"no flow needs a connector {name}; there is {', '.join(sources)}")
    return sources[name]


def _sources() -> list[Database]:
    return [database for database in Database if flows_from(database)]


def connector_names() -> list[str]:
    """Return the names of the connectors that must run, one for each source database."""
    return [replication_name(database) for database in _sources()]


def _source_login(settings: Settings, database: Database, login: ConnectorLogin) -> SourceLogin:
    where = settings.databases[database.value]
    return SourceLogin(
        host=where.host,
        port=where.port,
        dbname=where.dbname,
        user=login.user,
        password_variable=f"SYNC_{database.name}_CONNECT__PASSWORD",
        sslmode=where.sslmode,
        sslrootcert=where.sslrootcert,
        sslcert=login.sslcert,
        sslkey=login.sslkey,
    )


def _wait_until_running(rest: ConnectRest, timeout: float) -> list[ConnectorStatus]:
    """Look until all run, one has failed for good, or the time is over."""
    began = time.monotonic()
    while True:
        statuses = [rest.status(name) for name in connector_names()]
        waited = time.monotonic() - began
        failed = waited > SETTLE_SECONDS and any(status.failed for status in statuses)
        if failed or waited > timeout or all(status.running for status in statuses):
            return statuses
        time.sleep(PAUSE)
