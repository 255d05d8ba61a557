import pytest
from cryptography.fernet import Fernet
from typer.testing import CliRunner

from cli.app import app


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
        ("dead-letters", "list"),
        ("dead-letters", "show", "1"),
        ("dead-letters", "replay", "1"),
        ("dead-letters", "discard", "1", "--reason", "x"),
    ],
)
def test_without_settings_every_command_names_all_that_is_missing(sync, command):
    refused = sync(*command)
    assert refused.exit_code == 2
    for name in ("SYNC_WAREHOUSE", "SYNC_CITIZEN", "SYNC_KAFKA", "SYNC_PAYLOAD_KEYS"):
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
