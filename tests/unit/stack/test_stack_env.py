import stat

import pytest
from cryptography.fernet import Fernet

from callbacks.settings import SenderSettings
from flows.callback_registry import CALLBACKS
from settings import load
from stack.errors import StackError
from stack.stack_env import compose, connect_credentials, read_env, write_env

PORTS = {"warehouse": 1, "citizen": 2, "kafka": 3, "connect": 4, "callbacks": 5}


def test_secrets_are_made_once_and_kept_while_addresses_follow_the_ports():
    first = compose({}, PORTS.__getitem__)
    second = compose(first, {**PORTS, "kafka": 33}.__getitem__)
    changed = {name for name in first if first[name] != second[name]}
    assert changed == {"SYNC_KAFKA__BOOTSTRAP_SERVERS"}


def test_every_password_is_its_own():
    passwords = [value for name, value in compose({}, PORTS.__getitem__).items() if name.endswith("PASSWORD")]
    assert len(passwords) == 6
    assert len(set(passwords)) == 6


def test_the_payload_key_is_a_fernet_key():
    key = compose({}, PORTS.__getitem__)["SYNC_PAYLOAD_KEYS"]
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"


def test_the_senders_are_those_that_the_intake_takes_and_their_keys_are_kept(tmp_path, monkeypatch):
    variables = compose({}, PORTS.__getitem__)
    write_env(tmp_path / "stack.env", compose(variables, PORTS.__getitem__))
    monkeypatch.setenv("SYNC_ENV_FILE", str(tmp_path / "stack.env"))
    settings = load(SenderSettings).callbacks
    assert {route for sender in settings.senders.values() for route in sender.routes} == {each.route for each in CALLBACKS}
    assert settings.port == PORTS["callbacks"]
    for sender in settings.senders.values():
        assert all(key.get_secret_value() in variables["SYNC_CALLBACKS__SENDERS"] for key in sender.keys)


def test_connect_sees_the_replication_roles_and_nothing_else():
    assert connect_credentials(compose({}, PORTS.__getitem__)).keys() == {
        "SYNC_WAREHOUSE_CONNECT__USER",
        "SYNC_WAREHOUSE_CONNECT__PASSWORD",
        "SYNC_CITIZEN_CONNECT__USER",
        "SYNC_CITIZEN_CONNECT__PASSWORD",
    }


def test_the_file_is_read_back_as_written_and_is_its_owners_only(tmp_path):
    file = tmp_path / "stack.env"
    variables = compose({}, PORTS.__getitem__)
    write_env(file, variables)
    assert read_env(file) == variables
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(StackError, match="start the local stack first"):
        read_env(tmp_path / "stack.env")
