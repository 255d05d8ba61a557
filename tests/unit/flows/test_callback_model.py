from dataclasses import replace

import pytest

from flows.callback_model import BodyField, Callback
from flows.callback_registry import CALLBACKS, callback_named
from flows.ml_alerts import ALERT_CALLBACK
from flows.tables import DefinitionError, SourceColumn


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
