"""The variables of the running stack, for every process that uses it: addresses, roles, secrets made once."""

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from stack.errors import StackError
from stack.ports import LOOPBACK

DATABASES = {"warehouse": "smart_warehouse", "citizen": "smart_citizen"}
SUPERUSER = "postgres"
WORKER_ROLE = "sync_worker"
CONNECT_ROLE = "sync_connect"
PASSWORD_BYTES = 24
SIGNING_KEY_BYTES = 32
# Who posts callbacks, and to which routes.
SENDERS = {
    "forecast-service": ["forecasts"],
    "ai-platform-07": ["alerts"],
    "ai-platform-09": ["alerts"],
    "ai-platform-14": ["alerts"],
}


def read_env(file: Path) -> dict[str, str]:
    """Return the variables in `file`; StackError when there is no such file."""
    try:
        lines = file.read_text().splitlines()
    except FileNotFoundError:
        raise StackError(f"{file} does not exist: start the local stack first (`make run`)") from None
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def write_env(file: Path, variables: Mapping[str, str]) -> None:
    """Write `file` whole or not at all, readable by its owner only."""
    draft = file.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.writelines(f"{name}={value}\n" for name, value in variables.items())
    draft.replace(file)


def compose(known: Mapping[str, str], port: Callable[[str], int]) -> dict[str, str]:
    """Return all variables: addresses from `port`, secrets from `known` where they exist, new ones otherwise."""
    fresh = _addresses(port)
    for prefix in _prefixes():
        fresh |= _roles(prefix, known)
    fresh["SYNC_PAYLOAD_KEYS"] = known.get("SYNC_PAYLOAD_KEYS") or Fernet.generate_key().decode()
    fresh["SYNC_CALLBACKS__SENDERS"] = known.get("SYNC_CALLBACKS__SENDERS") or _senders()
    return fresh


def connect_credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what Kafka Connect may resolve as ${env:…}: the replication role of each database and nothing else."""
    return {name: value for name, value in variables.items() if "_CONNECT__" in name and name.startswith(_prefixes())}


def _prefixes() -> tuple[str, ...]:
    return tuple(f"SYNC_{name.upper()}" for name in DATABASES)


def _addresses(port: Callable[[str], int]) -> dict[str, str]:
    variables = {
        "SYNC_KAFKA__BOOTSTRAP_SERVERS": f"{LOOPBACK}:{port('kafka')}",
        "SYNC_KAFKA__REPLICATION_FACTOR": "1",
        "SYNC_CONNECT__URL": f"http://{LOOPBACK}:{port('connect')}",
        "SYNC_CALLBACKS__PORT": str(port("callbacks")),
    }
    for name, database in DATABASES.items():
        prefix = f"SYNC_{name.upper()}"
        variables[f"{prefix}__HOST"] = LOOPBACK
        variables[f"{prefix}__PORT"] = str(port(name))
        variables[f"{prefix}__DBNAME"] = database
        variables[f"{prefix}__SSLMODE"] = "disable"  # loopback; the wheel's server has no certificate
    return variables


def _roles(prefix: str, known: Mapping[str, str]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for section, role in ((prefix, WORKER_ROLE), (f"{prefix}_ADMIN", SUPERUSER), (f"{prefix}_CONNECT", CONNECT_ROLE)):
        password = f"{section}__PASSWORD"
        variables[f"{section}__USER"] = role
        variables[password] = known.get(password) or secrets.token_urlsafe(PASSWORD_BYTES)
    return variables


def _senders() -> str:
    senders = {name: {"keys": [_signing_key()], "routes": routes} for name, routes in SENDERS.items()}
    return json.dumps(senders, separators=(",", ":"))  # without spaces: the file's values stand unquoted


def _signing_key() -> str:
    """As Standard Webhooks spells them."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SIGNING_KEY_BYTES)).decode()
