"""What `check-schema` says of tables that a flow reads beside its source, and of keys that may be null in the source."""

from flows.profile_updates import PROFILE_UPDATES as FLOW
from flows.tables import Database
from sinks.catalog import Catalog, CatalogColumn, CatalogTable
from sinks.flow_check import flow_differences

LOOKUP = FLOW.lookups[0]


def table(columns, *keys):
    made = {name: CatalogColumn(name, kind.catalog_name, required, filled=False) for name, kind, required in columns}
    return CatalogTable("d", made, frozenset(frozenset(key) for key in keys))


def differences(*looked_up):
    """With the tables that the flow needs; ``looked_up`` are the columns of the one where names are looked up, if it is there."""
    source = [(column.name, column.sql_type, column.required) for column in FLOW.source.columns]
    target = [(name, kind, name in ("jan_aadhaar", "gr_id")) for name, kind in FLOW.written_columns]
    warehouse = {FLOW.target.table.qualified: table(target, ("jan_aadhaar",), ("gr_id",))}
    if looked_up:
        kind = dict(FLOW.written_columns)["district_id"]
        warehouse[LOOKUP.table.qualified] = table([(name, kind, True) for name in looked_up])
    tables = {Database.CITIZEN: {FLOW.source.table.qualified: table(source, ("id",))}, Database.WAREHOUSE: warehouse}
    catalogs = {database: Catalog("logical", {}, found, {}, frozenset()) for database, found in tables.items()}
    return [(each.object, each.problem) for each in flow_differences(FLOW, catalogs)]


def test_a_match_key_that_may_be_null_in_the_source_is_no_difference():
    assert differences("district_name", "district_id") == []


def test_a_lookup_without_its_table_or_a_column_is_named():
    assert differences() == [("public.district_master", "the table does not exist")]
    assert differences("district_id") == [("public.district_master.district_name", "the column does not exist")]
