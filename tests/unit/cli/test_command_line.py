import shlex
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.app import app
from settings import PROGRAM
from stack.folder import PROJECT_ROOT


@pytest.fixture
def sync(monkeypatch):
    monkeypatch.setenv("SYNC_ENV_FILE", "/dev/null")
    return lambda *arguments: CliRunner().invoke(app, list(arguments))


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("check-schema",),
        ("migrate",),
        ("watch",),
        ("pause", "eligibility_hints"),
        ("resume", "eligibility_hints"),
        ("resync", "eligibility_hints"),
        ("replay", "eligibility_hints", "--partition", "0", "--from-offset", "0"),
        ("source-epoch", "warehouse"),
        ("connect", "apply"),
        ("connect", "status"),
        ("connect", "restart"),
        ("connect", "reset", "sync_warehouse", "--reason", "x"),
        ("connect", "keep"),
        ("dead-letters", "list"),
        ("dead-letters", "show", "1"),
        ("dead-letters", "replay", "1"),
        ("dead-letters", "discard", "1", "--reason", "x"),
    ],
)
def test_without_settings_every_command_names_all_that_is_missing(sync, command):
    refused = sync(*command)
    assert refused.exit_code == 2
    for name in ("SYNC_WAREHOUSE__HOST", "SYNC_CITIZEN__DBNAME", "SYNC_KAFKA__BOOTSTRAP_SERVERS", "SYNC_PAYLOAD_KEYS"):
        assert name in refused.stderr
    assert "Traceback" not in refused.output


def test_a_wrong_setting_is_named_without_its_value(sync, monkeypatch):
    monkeypatch.setenv("SYNC_PAYLOAD_KEYS", "hunter2")
    refused = sync("status")
    assert "SYNC_PAYLOAD_KEYS" in refused.stderr
    assert "hunter2" not in refused.output


@pytest.mark.parametrize("command", [("nonsense",), ("pause",), ("replay", "eligibility_hints"), ("up", "--workers", "0")])
def test_wrong_usage_has_its_own_exit_code(sync, command):
    assert sync(*command).exit_code == 2


def test_keygen_prints_a_key_that_works_and_another_each_time(sync):
    first, second = (sync("keygen").stdout.strip() for _ in range(2))
    assert first != second
    Fernet(first)


def test_every_command_explains_itself(sync):
    shown = sync("--help").stdout
    for command in ("up", "watch", "migrate", "status", "check-schema", "pause", "resume", "replay", "dead-letters"):
        assert command in shown


def test_what_messages_call_the_program_is_what_people_type():
    interpreter, *arguments = shlex.split(PROGRAM)
    assert interpreter == "python"
    shown = subprocess.run(
        [sys.executable, *arguments, "status", "--help"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert f"Usage: {PROGRAM} status" in shown.stdout


def test_a_setting_that_does_not_suit_production_is_a_warning_of_migrate(sync, minimal, monkeypatch):
    minimal(SYNC_CITIZEN__POOL_SIZE="5")
    refused = sync("migrate")
    assert refused.exit_code == 2, "the administrators are not set"
    assert refused.stderr.startswith("warning: SYNC_CITIZEN__POOL_SIZE=5: ")
