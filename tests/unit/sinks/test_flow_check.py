"""What `check-schema` says of tables beside a source, of keys that may be null there, and of a flow without a source table."""

from flows.ml_alerts import ML_ALERTS
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


def differences_of_alerts(*tables, not_null=()):
    """The target of alerts and where notices go, as far as they are among ``tables``; columns that refuse null."""
    target = [(name, kind, name in not_null) for name, kind in ML_ALERTS.written_columns]
    (beside,) = ML_ALERTS.side_tables
    notices = table([(name, dict(ML_ALERTS.written_columns)["alert_id"], False) for name in beside.columns], ("id",))
    made = {"public.ml_alerts": table(target, ("alert_id",)), "public.notifications": notices}
    found = {name: made[name] for name in tables}
    catalogs = {
        database: Catalog("logical", {}, found if database is Database.CITIZEN else {}, {}, frozenset()) for database in Database
    }
    return [(each.object, each.problem) for each in flow_differences(ML_ALERTS, catalogs)]


def test_a_flow_without_a_source_table_needs_its_target_and_what_is_beside_it_only():
    assert differences_of_alerts("public.ml_alerts", "public.notifications") == []
    assert differences_of_alerts() == [
        ("public.ml_alerts", "the table does not exist"),
        ("public.notifications", "the table does not exist"),
    ]


def test_a_target_column_that_refuses_the_null_of_a_field_is_named():
    refusing = differences_of_alerts("public.ml_alerts", "public.notifications", not_null=("alert_id", "message", "expires_at"))
    (found,) = refusing
    assert found == (
        "public.ml_alerts.expires_at",
        "the column refuses null, but expires_at of the source may be null",
    )
