import os
import signal
import stat

import psutil
import psycopg
import pytest

from stack.errors import StackError
from stack.local import LocalStack
from stack.ports import LOOPBACK
from stack.waiting import wait_until

ROLES = {"": "sync_worker", "_CONNECT": "sync_connect", "_ADMIN": "postgres"}


@pytest.mark.parametrize("name", ["warehouse", "citizen"])
@pytest.mark.parametrize("section", ROLES)
def test_every_role_reaches_its_database(stack, query, name, section):
    shown = query(stack, "SELECT current_user, current_database()", name=name, section=section)
    assert shown == [(ROLES[section], f"smart_{name}")]


@pytest.mark.parametrize("name", ["warehouse", "citizen"])
def test_only_debeziums_role_may_replicate(stack, query, name):
    roles = "SELECT rolname FROM pg_roles WHERE rolreplication AND NOT rolsuper"
    assert query(stack, roles, name=name) == [("sync_connect",)]


@pytest.mark.parametrize(("setting", "value"), [("wal_level", "logical"), ("fsync", "on"), ("TimeZone", "UTC")])
def test_the_databases_are_durable_logical_and_in_utc(stack, query, setting, value):
    assert query(stack, f"SHOW {setting}") == [(value,)]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT '123456789012x'::int",
        "CREATE TEMP TABLE once (value text PRIMARY KEY); INSERT INTO once VALUES ('123456789012'), ('123456789012')",
        "SELECT 123456789012/0",
    ],
)
def test_no_value_reaches_the_databases_log(stack, query, statement):
    with pytest.raises(psycopg.DataError if "INSERT" not in statement else psycopg.IntegrityError):
        query(stack, statement)
    assert "123456789012" not in stack.folder.log("warehouse").read_text()


def test_every_part_listens_on_loopback_only(stack):
    for part in stack.parts:
        connections = psutil.Process(part.pid).net_connections("tcp")
        addresses = {made.laddr.ip.removeprefix("::ffff:") for made in connections if made.status == psutil.CONN_LISTEN}
        assert addresses == {LOOPBACK}


def test_no_secret_is_in_arguments_configuration_or_logs(stack):
    secrets = [value for name, value in stack.env.items() if name.endswith(("PASSWORD", "KEYS"))]
    shown = [" ".join(psutil.Process(part.pid).cmdline()) for part in stack.parts]
    shown += [file.read_text() for folder in ("config", "logs") for file in (stack.folder.root / folder).iterdir()]
    assert len(secrets) == 7
    assert not [secret for secret in secrets if any(secret in text for text in shown)]


def test_the_file_with_the_secrets_is_its_owners_only(stack):
    assert stat.S_IMODE(stack.folder.env_file.stat().st_mode) == 0o600


def test_connect_gets_its_own_passwords_and_no_others(stack):
    given = psutil.Process(stack.connect.pid).environ()
    assert sum(name.startswith("SYNC_") for name in given) == 4
    assert given["SYNC_CITIZEN_CONNECT__PASSWORD"] == stack.env["SYNC_CITIZEN_CONNECT__PASSWORD"]


def test_a_start_while_running_changes_nothing(stack):
    pids = [part.pid for part in stack.parts]
    stack.start()
    assert [part.pid for part in stack.parts] == pids


def test_a_second_run_on_the_same_folder_is_refused_and_harms_nothing(stack):
    with pytest.raises(StackError, match="in use by another run"):
        LocalStack(stack.folder.root).start()
    assert all(part.running for part in stack.parts)


@pytest.mark.parametrize("name", ["warehouse", "citizen", "kafka", "connect"])
def test_a_killed_part_comes_back_at_its_old_address(stack, name):
    part, address = getattr(stack, name), stack.ports.port(name)
    first = part.pid
    part.kill()
    assert not part.running
    assert not psutil.pid_exists(first)
    part.start()
    part.wait_ready()
    assert stack.ports.port(name) == address


def test_a_postmaster_killed_from_outside_starts_again_although_its_children_may_linger(stack, query):
    query(stack, "CREATE TABLE kept AS SELECT 1 AS value")
    os.kill(stack.warehouse.pid, signal.SIGKILL)
    assert wait_until(lambda: not stack.warehouse.running, 10)
    stack.warehouse.start()
    stack.warehouse.wait_ready()
    assert query(stack, "SELECT value FROM kept") == [(1,)]
    query(stack, "DROP TABLE kept")
