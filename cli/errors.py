"""What an operator is told when a command cannot do its work: one message, one exit code, no traceback, no secret."""

from collections.abc import Callable
from typing import Final

import httpx
import psycopg
from aiokafka.errors import KafkaError
from cryptography.fernet import InvalidToken

from cli.kafka_client_log import last_complaint
from flows.tables import DefinitionError
from settings import ConfigurationError
from sinks.migrations import MigrationError
from sinks.operations.audit import RefusedError
from stack.errors import StackError

PROBLEM: Final = 1
USAGE: Final = 2


def exit_code(error: Exception) -> int:
    """Tell wrong settings and definitions from a problem that was found."""
    return USAGE if isinstance(error, ConfigurationError | DefinitionError) else PROBLEM


def message(error: Exception) -> str:
    """Say what was wrong and where; values of rows are never part of it."""
    for kind, text in _TEXTS.items():
        if isinstance(error, kind):
            return text(error)
    return str(error)


def _database(error: Exception) -> str:
    """Only the primary message: DETAIL and CONTEXT of PostgreSQL quote values."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return f"the database refused: {error.diag.message_primary} (SQLSTATE {error.sqlstate})"
    first_line, *_ = str(error).strip().splitlines() or [type(error).__name__]
    return f"the database cannot be used: {first_line}"


def _kafka(error: Exception) -> str:
    reason = last_complaint()
    settings = "; are the brokers up, and are SYNC_KAFKA__… (addresses, protocol, certificates, login) right?"
    return f"Kafka: {type(error).__name__}: {error}" + (f" ({reason})" if reason else "") + settings


def _connect(error: Exception) -> str:
    url = error.request.url if isinstance(error, httpx.RequestError) else ""
    return f"Kafka Connect does not answer at {url}: {type(error).__name__}; is it running, is SYNC_CONNECT__URL right?"


def _token(_: Exception) -> str:
    return "no key in SYNC_PAYLOAD_KEYS opens this payload: add the key that was in use when it was written"


_TEXTS: Final[dict[type[Exception], Callable[[Exception], str]]] = {
    psycopg.Error: _database,
    KafkaError: _kafka,
    httpx.HTTPError: _connect,
    InvalidToken: _token,
}

EXPLAINED: Final[tuple[type[Exception], ...]] = (
    ConfigurationError,
    DefinitionError,
    MigrationError,
    RefusedError,
    StackError,
    *_TEXTS,
)
