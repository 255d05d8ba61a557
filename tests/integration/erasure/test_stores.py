"""The list of stores is whole: what is new in the schema is refused until somebody has said what it holds of people."""

from flows.batch_registry import ALL_FLOWS
from flows.tables import Database
from sinks.erasure.places import places
from sinks.erasure.stores import STORES, Remedy

# What can hold a name, an id or a quotation; numbers, times and truths cannot, but for the keys of rows.
COLUMNS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'sync' AND (data_type IN ('text', 'character varying', 'uuid', 'json', 'jsonb', 'bytea')
                                     OR column_name LIKE '%\\_id' AND column_name NOT IN ('run_id'))
    """
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'sync'"


def test_every_table_and_every_text_of_ours_is_classified(databases):
    listed = {store.table: set(store.columns) for store in STORES}
    for connection in databases.values():
        assert {name for (name,) in connection.execute(TABLES).fetchall()} == set(listed)
        found = {name: set() for name in listed}
        for table, column in connection.execute(COLUMNS).fetchall():
            found[table].add(column)
        assert found == listed


def test_every_statement_is_one_that_the_databases_take(tools, known):
    """As the worker's role, which needs no more than it has."""
    for place in places():
        parameters = known.parameters()
        tools.sessions[place.database].execute(f"EXPLAIN {place.counting}".encode(), parameters)
        if place.remedy in (Remedy.DELETE, Remedy.REDACT):
            tools.sessions[place.database].execute(f"EXPLAIN {place.erasing}".encode(), parameters)


def test_every_id_in_a_source_is_an_identity_or_the_key_of_a_thing():
    things = {"scheme_id"}
    for flow in ALL_FLOWS:
        ids = {column.name for column in flow.source.columns if column.type == "uuid" and column.identity is None}
        assert ids <= things | {flow.source.primary_key}, flow.name
    assert {place.database for place in places() if place.remedy is Remedy.SOURCE} == set(Database)
