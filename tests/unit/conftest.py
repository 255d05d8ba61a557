import subprocess

import pytest
from cryptography.fernet import Fernet

from stack.unpacked import PROMTOOL, find

MINIMAL = {
    "SYNC_ENV_FILE": "/dev/null",
    "SYNC_WAREHOUSE__HOST": "warehouse.example",
    "SYNC_WAREHOUSE__DBNAME": "smart_warehouse",
    "SYNC_CITIZEN__HOST": "portal.example",
    "SYNC_CITIZEN__DBNAME": "smart_citizen",
    "SYNC_KAFKA__BOOTSTRAP_SERVERS": "kafka.example:9092",
    "SYNC_PAYLOAD_KEYS": Fernet.generate_key().decode(),
}


@pytest.fixture
def minimal(monkeypatch):
    """The least that is needed, in the environment; returns what sets further variables."""
    for name, value in MINIMAL.items():
        monkeypatch.setenv(name, value)
    return lambda **variables: [monkeypatch.setenv(name, value) for name, value in variables.items()]


@pytest.fixture(scope="session")
def promtool():
    """Run promtool; answers whether it is content, and what it said."""
    program = find(PROMTOOL)
    assert program, "promtool is missing: python -m stack setup-tests"

    def run(*arguments):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        return done.returncode == 0, done.stdout + done.stderr

    return run
