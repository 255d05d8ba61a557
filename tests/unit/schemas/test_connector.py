from dataclasses import replace
from pathlib import Path

import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS
from flows.replication import captured_tables, replication_name
from flows.tables import Database, DefinitionError, SourceColumn, Table
from schemas.connector import RECORD_BYTES, TOAST_PLACEHOLDER, SourceLogin, connector_configuration
from schemas.topics import all_topics, command_topics, source_topics

LOGIN = SourceLogin("db.internal", 5433, "smart_warehouse", "sync_connect", "SYNC_WAREHOUSE_CONNECT__PASSWORD", "require")
SNAPSHOTS = "eligibility.eligibility_snapshots"


def configuration(*flows, login=LOGIN):
    return connector_configuration(Database.WAREHOUSE, flows or (ELIGIBILITY_HINTS,), login)


def changed_source(**changes):
    return replace(ELIGIBILITY_HINTS, source=replace(ELIGIBILITY_HINTS.source, **changes))


def second_flow(**changes):
    """Another flow on the same table."""
    return replace(ELIGIBILITY_HINTS, name="second", **changes)


def test_every_property_is_text_as_connect_wants_it():
    assert all(isinstance(value, str) for value in configuration().values())


def test_each_column_of_the_definition_is_captured_and_no_other():
    captured = configuration()["column.include.list"].split(",")
    wanted = [f"{SNAPSHOTS}.{column.name}" for column in ELIGIBILITY_HINTS.source.columns]
    assert captured == [*wanted, "sync.heartbeat.id", "sync.heartbeat.beat_at"]


def test_a_column_more_in_the_definition_is_a_column_more_in_the_connector():
    columns = (*ELIGIBILITY_HINTS.source.columns, SourceColumn("district_id", "integer"))
    captured = configuration(changed_source(columns=columns))["column.include.list"].split(",")
    assert f"{SNAPSHOTS}.district_id" in captured


def test_a_column_less_in_the_definition_stays_in_the_warehouse():
    columns = tuple(column for column in ELIGIBILITY_HINTS.source.columns if column.name != "member_id")
    flow = ELIGIBILITY_HINTS
    ranking = replace(flow.ranking, subject="snapshot_id")
    changed = replace(flow, source=replace(flow.source, columns=columns), ranking=ranking)
    assert "member_id" not in configuration(changed)["column.include.list"]


def test_another_table_is_captured_published_and_named_in_the_topic():
    changed = changed_source(table=Table(Database.WAREHOUSE, "rules", "results"))
    derived = configuration(changed)
    assert derived["table.include.list"] == "rules.results,sync.heartbeat"
    assert derived["message.key.columns"] == "rules.results:family_id;sync.heartbeat:id"
    assert "warehouse.rules.results" in {topic.name for topic in source_topics(Database.WAREHOUSE, [changed])}


def test_two_flows_on_one_table_share_its_columns():
    columns = (*ELIGIBILITY_HINTS.source.columns, SourceColumn("district_id", "integer"))
    derived = configuration(ELIGIBILITY_HINTS, second_flow(source=replace(ELIGIBILITY_HINTS.source, columns=columns)))
    captured = derived["column.include.list"].split(",")
    assert len(captured) == len(set(captured)) == len(columns) + 2
    assert derived["table.include.list"] == f"{SNAPSHOTS},sync.heartbeat"


def test_two_flows_on_one_table_must_agree_on_its_partitions():
    with pytest.raises(DefinitionError, match="flows eligibility_hints, second read"):
        configuration(ELIGIBILITY_HINTS, second_flow(partitions=4))


def test_a_database_from_which_nothing_flows_has_no_connector():
    with pytest.raises(ValueError, match="no flow reads from citizen"):
        connector_configuration(Database.CITIZEN, [ELIGIBILITY_HINTS], LOGIN)
    assert captured_tables(Database.CITIZEN, [ELIGIBILITY_HINTS]) == ()
    assert source_topics(Database.CITIZEN, [ELIGIBILITY_HINTS]) == ()


def test_the_password_is_a_reference_to_the_environment():
    assert configuration()["database.password"] == "${env:SYNC_WAREHOUSE_CONNECT__PASSWORD}"


def test_the_login_says_where_the_database_is_and_how_to_encrypt():
    derived = configuration()
    names = ("hostname", "port", "dbname", "user", "sslmode")
    found = [derived[f"database.{name}"] for name in names]
    assert found == ["db.internal", "5433", "smart_warehouse", "sync_connect", "require"]


@pytest.mark.parametrize("name", ["sslrootcert", "sslcert", "sslkey"])
def test_a_file_for_tls_is_named_when_it_is_set(name):
    assert configuration(login=replace(LOGIN, **{name: Path("/etc/tls/file")}))[f"database.{name}"] == "/etc/tls/file"
    assert f"database.{name}" not in configuration()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("decimal.handling.mode", "string"),
        ("time.precision.mode", "isostring"),
        ("tombstones.on.delete", "true"),
        ("errors.tolerance", "none"),
        ("publication.autocreate.mode", "disabled"),
        ("offset.mismatch.strategy", "trust_offset"),
        ("provide.transaction.metadata", "false"),
        ("poll.interval.ms", "5"),
        ("skipped.operations", "none"),
        ("snapshot.mode", "initial"),
        ("topic.prefix", "warehouse"),
        ("slot.name", "sync_warehouse"),
        ("publication.name", "sync_warehouse"),
        ("unavailable.value.placeholder", TOAST_PLACEHOLDER),
        ("producer.override.max.request.size", str(RECORD_BYTES)),
        ("heartbeat.action.query", "UPDATE sync.heartbeat SET beat_at = now() WHERE id = 1"),
        ("value.converter.schemas.enable", "false"),
    ],
)
def test_the_connector_behaves_as_the_decoder_expects(name, value):
    assert configuration()[name] == value


def test_connector_slot_and_publication_of_two_sources_differ():
    assert len({replication_name(database) for database in Database}) == len(Database)


def test_no_text_of_a_person_is_the_placeholder_by_accident():
    assert len(TOAST_PLACEHOLDER) >= 32
    assert TOAST_PLACEHOLDER.isascii()


def test_a_flows_topics_all_have_its_partitions():
    topics = {topic.name: topic for topic in all_topics([ELIGIBILITY_HINTS])}
    assert {topics[name].partitions for name in ELIGIBILITY_HINTS.topics} == {ELIGIBILITY_HINTS.partitions}
    changed = replace(ELIGIBILITY_HINTS, partitions=4)
    assert {topic.partitions for topic in command_topics([changed])} == {4}


def test_every_topic_that_the_connector_writes_is_made_beforehand():
    names = {topic.name for topic in source_topics(Database.WAREHOUSE, [ELIGIBILITY_HINTS])}
    assert names == {ELIGIBILITY_HINTS.topic, "warehouse.sync.heartbeat", "__debezium-heartbeat.warehouse"}


def test_topics_keep_seven_days_and_records_of_16_mb():
    for topic in all_topics([ELIGIBILITY_HINTS]):
        assert topic.configuration == {
            "cleanup.policy": "delete",
            "retention.ms": str(7 * 24 * 3600 * 1000),
            "max.message.bytes": str(16 * 1024 * 1024),
        }
