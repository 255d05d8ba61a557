"""Settings of the intake: what is wrong is named by its variable, and no key is ever shown."""

import json

import pytest

from callbacks.settings import IntakeSettings, SenderSettings, new_signing_key
from settings import ConfigurationError, load

KEY, OTHER = new_signing_key(), new_signing_key()


def senders(**senders):
    return json.dumps({name: {"keys": keys, "routes": routes} for name, (keys, routes) in senders.items()})


@pytest.fixture
def loaded(monkeypatch):
    monkeypatch.setenv("SYNC_ENV_FILE", "/dev/null")

    def run(value, kind=SenderSettings):
        monkeypatch.setenv("SYNC_CALLBACKS__SENDERS", value)
        return load(kind).callbacks

    return run


@pytest.fixture
def problems(loaded):
    def found(value):
        with pytest.raises(ConfigurationError) as caught:
            loaded(value)
        assert "hunter2" not in str(caught.value)
        assert KEY not in str(caught.value)
        return caught.value.problems

    return found


def test_the_intake_needs_kafka_and_no_database(monkeypatch, loaded):
    with pytest.raises(ConfigurationError) as caught:
        loaded("{}", IntakeSettings)
    assert caught.value.problems == ["SYNC_KAFKA__BOOTSTRAP_SERVERS is not set"]
    monkeypatch.setenv("SYNC_KAFKA__BOOTSTRAP_SERVERS", "kafka.example:9092")
    assert loaded("{}", IntakeSettings).host == "127.0.0.1"


def test_a_sender_has_one_key_or_two(loaded):
    found = loaded(senders(a=([KEY], ["alerts"]), b=([OTHER, new_signing_key()], ["alerts", "forecasts"]))).senders
    assert [len(sender.keys) for sender in found.values()] == [1, 2]
    assert found["b"].routes == {"alerts", "forecasts"}
    assert KEY not in repr(found)


@pytest.mark.parametrize(
    ("value", "variable", "problem"),
    [
        ("hunter2", "SENDERS", "not JSON of the form"),
        ('["hunter2"]', "SENDERS", "Input should be a valid dictionary"),
        (senders(a=(["hunter2"], ["alerts"])), "SENDERS__A__KEYS", "each must be whsec_ and 24 to 64 bytes in base64"),
        (senders(a=(["whsec_hunter2"], ["alerts"])), "SENDERS__A__KEYS", "make one with"),
        (senders(a=(["whsec_é"], ["alerts"])), "SENDERS__A__KEYS", "make one with"),
        (senders(a=([KEY.removeprefix("whsec_")], ["alerts"])), "SENDERS__A__KEYS", "each must be whsec_"),
        (senders(a=([], ["alerts"])), "SENDERS__A__KEYS", "at least 1 item"),
        (senders(a=([KEY, OTHER, new_signing_key()], ["alerts"])), "SENDERS__A__KEYS", "at most 2 items"),
        (senders(a=([KEY], [])), "SENDERS__A__ROUTES", "at least 1 item"),
        (senders(a=([KEY], ["hunter2"])), "SENDERS__A__ROUTES", "routes are alerts, forecasts"),
        (senders(a=([KEY], ["alerts"]), b=([KEY], ["alerts"])), "SENDERS", "every key must be its own"),
        (senders(a=([KEY, KEY], ["alerts"])), "SENDERS", "every key must be its own"),
        (senders(**{"a b": ([KEY], ["alerts"])}), "SENDERS", "a sender's name is"),
    ],
    ids=[
        "no JSON",
        "a list",
        "no key",
        "a short key",
        "a letter that base64 has not",
        "a key without its beginning",
        "no keys",
        "three keys",
        "no routes",
        "an unknown route",
        "a key of two senders",
        "a key twice",
        "a name with a space",
    ],
)
def test_senders_that_are_wrong_are_named_without_their_keys(problems, value, variable, problem):
    (found,) = problems(value)
    assert found.startswith(f"SYNC_CALLBACKS__{variable}: ")
    assert problem in found


def test_every_new_key_is_another():
    assert len({new_signing_key() for _ in range(10)}) == 10
