from dataclasses import replace

import pytest

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.callback_model import BodyField, Callback, CallbackFlow
from flows.callback_registry import CALLBACKS, callback_named
from flows.ml_alerts import ALERT_CALLBACK, ML_ALERTS
from flows.model import TimeOf
from flows.registry import flows_from
from flows.replication import captured_tables
from flows.tables import Database, DefinitionError, Filter, SourceColumn


def field(name, kind="uuid", *, required=True):
    return BodyField(SourceColumn(name, kind, required=required), "doc", "example")


GOOD = Callback(
    flow="things",
    route="things",
    record="Thing",
    doc="doc",
    fields=(field("id"), field("at", "timestamptz")),
    key="id",
    time="at",
    partitions=5,
)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"flow": "Things"}, "plain identifiers"),
        ({"route": "things/all"}, "plain identifiers"),
        ({"partitions": 0}, "partitions"),
        ({"key": "other"}, "'other' is used but not declared"),
        ({"key": "at"}, "'at' must be a required uuid"),
        ({"time": "id"}, "'id' must be a required timestamptz"),
        ({"fields": (field("id"), field("at", "timestamptz", required=False))}, "'at' must be a required timestamptz"),
        ({"fields": (*GOOD.fields, field("id"))}, "'id' stands twice"),
        ({"fields": (*GOOD.fields, field("b", "money"))}, "'b': unknown column type"),
    ],
)
def test_a_callback_that_contradicts_itself_is_refused(changes, problem):
    with pytest.raises(DefinitionError, match=r"^callback ") as caught:
        replace(GOOD, **changes)
    assert problem in str(caught.value)


def test_topic_and_path_follow_from_the_names():
    assert (GOOD.topic, GOOD.path) == ("sync.things.callbacks", "/callbacks/things")


def test_topics_and_partitions_are_those_of_the_specification():
    assert {callback.topic: callback.partitions for callback in CALLBACKS} == {
        "sync.benefit_forecasts.callbacks": 10,
        "sync.ml_alerts.callbacks": 5,
    }


def test_routes_are_found_by_name_and_unique():
    assert callback_named("alerts") is ALERT_CALLBACK
    assert len({callback.route for callback in CALLBACKS}) == len(CALLBACKS)
    with pytest.raises(KeyError, match="there are: forecasts, alerts"):
        callback_named("nonsense")


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "forecasts"}, "name and partitions must be those of the callback"),
        ({"partitions": 5}, "name and partitions must be those of the callback"),
        ({"version": TimeOf("family_id")}, "the version must be the time of the callback, 'generated_at'"),
        ({"filter": Filter("family_id", ("x",))}, "every body counts"),
        ({"deleted_at": "gone_at"}, "nothing deletes one"),
        ({"target": replace(BENEFIT_FORECASTS.target, key=("family_id",))}, "must be mapped from the source's primary key"),
    ],
)
def test_a_flow_that_does_not_fit_its_callback_is_refused(changes, problem):
    with pytest.raises(DefinitionError, match=problem):
        replace(BENEFIT_FORECASTS, **changes)


@pytest.mark.parametrize("flow", [BENEFIT_FORECASTS, ML_ALERTS], ids=lambda flow: flow.name)
def test_a_flow_reads_what_the_intake_writes_and_maps_every_field(flow):
    assert flow.topics == (flow.source.topic, f"sync.{flow.name}.commands")
    assert [column.source for column in flow.target.columns] == [field.name for field in flow.source.fields]
    assert flow.source in CALLBACKS


def test_no_connector_reads_for_a_flow_of_callbacks():
    for database in Database:
        assert not any(isinstance(flow, CallbackFlow) for flow in flows_from(database))
        assert captured_tables(database, [BENEFIT_FORECASTS, ML_ALERTS]) == ()
