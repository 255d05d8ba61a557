"""Compare a live database with what the flows need of it as a whole: roles, publication, privileges. Pure."""

from collections.abc import Iterable, Iterator

from flows.definition import Definition
from flows.replication import replication_name
from flows.tables import Database
from sinks.catalog import Catalog, Privilege
from sinks.flow_check import MIGRATE, Difference
from sinks.provision import PUBLISHED_OPERATIONS, STATE_SCHEMA, Roles, captured_by_events, grants, schemas_used, state_privileges


def database_differences(database: Database, flows: Iterable[Definition], roles: Roles, catalog: Catalog) -> Iterator[Difference]:
    """Compare what does not belong to one flow: roles, WAL level, publication."""
    flows = tuple(flows)
    for role in filter(None, (roles.worker, roles.connect)):
        if role not in catalog.roles:
            yield _general(database, role, "the role does not exist", "create it with LOGIN, then " + MIGRATE)
    if captured_by_events(database, flows):
        yield from _replication_differences(database, flows, roles, catalog)


def wanted_privileges(database: Database, flows: Iterable[Definition], roles: Roles, catalog: Catalog) -> Iterator[Privilege]:
    """Spell out every privilege that `migrate` grants."""
    flows = tuple(flows)
    for role, schema in schemas_used(database, flows, roles):
        yield Privilege(role, "USAGE", schema)
    for grant in grants(database, flows, roles):
        for name in grant.privileges:
            for column in grant.columns or (None,):
                yield Privilege(grant.role, name, grant.table.schema, grant.table.name, column)
    for table in catalog.state_tables:
        yield from (Privilege(roles.worker, name, STATE_SCHEMA, table) for name in state_privileges(table))


def privilege_difference(database: Database, missing: Privilege) -> Difference:
    """Name a privilege that does not hold."""
    return _general(database, missing.object, f"role {missing.role} has no {missing.name} privilege", MIGRATE)


def migration_difference(database: Database, problem: str) -> Difference:
    """Name what is wrong with our own schema."""
    return _general(database, f"schema {STATE_SCHEMA}", problem, MIGRATE)


def _replication_differences(
    database: Database, flows: tuple[Definition, ...], roles: Roles, catalog: Catalog
) -> Iterator[Difference]:
    if catalog.wal_level != "logical":
        problem = f"wal_level is {catalog.wal_level}, change data capture needs logical"
        yield _general(database, "wal_level", problem, "ALTER SYSTEM SET wal_level = 'logical', then restart the server")
    if roles.connect is not None and not catalog.roles.get(roles.connect, True):
        yield _general(database, roles.connect, "the role may not replicate", f"ALTER ROLE {roles.connect} REPLICATION")
    yield from _publication_differences(database, flows, catalog)


def _publication_differences(database: Database, flows: tuple[Definition, ...], catalog: Catalog) -> Iterator[Difference]:
    name = f"publication {replication_name(database)}"
    publication = catalog.publications.get(replication_name(database))
    if publication is None:
        yield _general(database, name, "the publication does not exist", MIGRATE)
        return
    wanted = {each.table.qualified for each in captured_by_events(database, flows)}
    for table in sorted(wanted - publication.tables):
        yield _general(database, name, f"{table} is not published", MIGRATE)
    for table in sorted(publication.tables - wanted):
        yield _general(database, name, f"{table} is published, but no flow reads it", MIGRATE)
    for operation in sorted(set(PUBLISHED_OPERATIONS) - publication.operations):
        yield _general(database, name, f"{operation} is not published", MIGRATE)


def _general(database: Database, name: str, problem: str, remedy: str) -> Difference:
    return Difference(database.value, "", name, problem, remedy)
