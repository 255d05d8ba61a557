"""One frozen settings object; the only reader of the environment.

Variables begin with ``SYNC_``; nested values use two underscores: ``SYNC_CITIZEN__HOST``.
Where ``SYNC_ENV_FILE`` is unset, the file that the local stack writes is read when it exists.
"""

from __future__ import annotations

import base64
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from cryptography.fernet import Fernet
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

#: What operators type. Every message that names a command begins it so.
PROGRAM: Final = "python -m cli"
#: Of the product, as `sync_build_info` tells it.
VERSION: Final = "0.1.0"
LOCAL_ENV_FILE = Path(".local/stack.env")
PRODUCTION_POOL = range(20, 51)
EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 they are compared with, not bound
#: What a signing key of Standard Webhooks begins with, and how many bytes it may hold.
KEY_PREFIX: Final = "whsec_"
KEY_BYTES: Final = range(24, 65)
SIGNING_KEY: Final = (
    f"each must be {KEY_PREFIX} and {KEY_BYTES[0]} to {KEY_BYTES[-1]} bytes in base64; make one with `{PROGRAM} callbacks keygen`"
)

T = TypeVar("T")
E = TypeVar("E", bound="Environment")


class ConfigurationError(Exception):
    """Every mistake in the environment at once, one line each; values are never quoted."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("configuration is not usable:\n" + "\n".join(f"  - {problem}" for problem in problems))


class Section(BaseModel):
    """Variables that begin alike. Values are never quoted in errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Credentials(Section):
    """A database login. ``password`` may be empty where certificates or peer authentication serve."""

    user: str
    password: SecretStr = SecretStr("")


class ConnectorLogin(Credentials):
    """Debezium's login. The files are those of the Connect worker's host; the key is PKCS-8 in DER."""

    sslcert: Path | None = None
    sslkey: Path | None = None


class Database(Section):
    """Where a database is and how the worker logs in (least privilege: role ``sync_worker``)."""

    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    dbname: str
    user: str = "sync_worker"
    password: SecretStr = SecretStr("")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = "prefer"
    sslrootcert: Path | None = None
    sslcert: Path | None = None
    sslkey: Path | None = None
    pool_size: int = Field(default=20, ge=2, le=50, description="connections per worker; 20-50 in production")
    connect_timeout: int = Field(default=5, ge=1, description="seconds")
    statement_timeout: int = Field(default=30_000, ge=1, description="milliseconds")
    lock_timeout: int = Field(default=10_000, ge=1, description="milliseconds")
    idle_in_transaction_timeout: int = Field(
        default=8_000,
        ge=1,
        description="milliseconds; below the Kafka session timeout, or a frozen worker blocks its heir",
    )

    def conninfo(self, login: Credentials | None = None) -> dict[str, str]:
        """Libpq keywords for ``psycopg``/``psycopg2``; ``login`` replaces the worker's own."""
        files = {"sslrootcert": self.sslrootcert, "sslcert": self.sslcert, "sslkey": self.sslkey}
        return {
            "host": self.host,
            "port": str(self.port),
            "dbname": self.dbname,
            "user": login.user if login else self.user,
            "password": (login.password if login else self.password).get_secret_value(),
            "sslmode": self.sslmode,
            "connect_timeout": str(self.connect_timeout),
            "application_name": "sync",
        } | {key: str(path) for key, path in files.items() if path}


class Kafka(Section):
    """Brokers and how to reach them: plain, TLS, SASL or both."""

    bootstrap_servers: str
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    ssl_cafile: Path | None = None
    ssl_certfile: Path | None = None
    ssl_keyfile: Path | None = None
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    sasl_username: str | None = Field(default=None, validate_default=True)
    sasl_password: SecretStr | None = Field(default=None, validate_default=True)
    replication_factor: int = Field(default=3, ge=1)
    session_timeout: float = Field(default=10.0, gt=0, description="seconds")

    @field_validator("sasl_username", "sasl_password")
    @classmethod
    def _sasl_needs_a_login(cls, value: T, info: ValidationInfo) -> T:
        if not value and info.data.get("security_protocol", "").startswith("SASL"):
            raise ValueError("needed with SASL")
        return value

    def client_options(self) -> dict[str, Any]:
        """Keyword arguments of every aiokafka client: where the brokers are and how to log in."""
        options: dict[str, Any] = {"bootstrap_servers": self.bootstrap_servers, "security_protocol": self.security_protocol}
        if self.security_protocol.endswith("SSL"):
            options["ssl_context"] = self.tls_context()
        if self.security_protocol.startswith("SASL"):
            options["sasl_mechanism"] = self.sasl_mechanism
            options["sasl_plain_username"] = self.sasl_username
            options["sasl_plain_password"] = self.sasl_password.get_secret_value() if self.sasl_password else None
        return options

    def tls_context(self) -> ssl.SSLContext:
        """Verifies the brokers' certificates and host names; raises ``OSError`` when a file cannot be read."""
        context = ssl.create_default_context(cafile=self.ssl_cafile)
        if self.ssl_certfile is not None:
            context.load_cert_chain(self.ssl_certfile, self.ssl_keyfile)
        return context


class Connect(Section):
    """The Kafka Connect REST interface."""

    url: str = "http://127.0.0.1:8083"
    username: str | None = None
    password: SecretStr | None = None


class Worker(Section):
    """One Faust worker process."""

    name: str = Field(default_factory=lambda: f"{os.uname().nodename}-{os.getpid()}")
    application_id: str = "smart-sync"
    data_dir: Path = Path(".local/worker")
    web_host: str = "127.0.0.1"
    web_port: int = Field(default=6066, ge=1, le=65535)
    web_allowed_hosts: str = Field(default="", description="comma separated, without ports; empty: `web_host`")
    metrics: bool = Field(default=True, description="false: nothing is counted or looked at; to measure what metrics cost")
    max_poll_records: int = Field(default=4000, ge=1, description="records per partition and fetch")
    max_chunk_records: int = Field(default=16_000, ge=1, description="records that one transaction may merge")
    max_chunk_bytes: int = Field(
        default=8 * 2**20, ge=1, description="bytes that may wait in a lane, and that one transaction may merge"
    )
    max_waiting_bytes: int = Field(default=40 * 2**20, ge=1, description="bytes that may wait in all lanes together")
    max_fetch_bytes: int = Field(default=2**20, ge=1, description="bytes per partition and fetch")
    tick_interval: float = Field(default=20.0, gt=0, description="seconds between looks for what time alone changes")
    parking_deadline: float = Field(default=900.0, gt=0, description="seconds that a record may wait for what it refers to")
    control_interval: float = Field(default=1.0, gt=0, description="seconds between looks at pause, replay and resume")
    block_cache_bytes: int = Field(default=16 * 2**20, ge=2**20, description="RocksDB block cache per process")
    dead_letter_share: float = Field(default=0.2, gt=0, le=1, description="share of a window that stops the flow")
    dead_letter_window: int = Field(default=1000, ge=10, description="records in that window")

    @property
    def web_hosts(self) -> tuple[str, ...]:
        """Host names that the web view answers to besides loopback's; the first is the one that others are told."""
        return tuple(filter(None, map(str.strip, self.web_allowed_hosts.split(",")))) or (self.web_host,)

    @property
    def web_url(self) -> str:
        """Where others find the web view."""
        host = self.web_hosts[0]
        return f"http://{f'[{host}]' if ':' in host else host}:{self.web_port}/"


class Web(Section):
    """Who may act through the web view of a worker. Reading needs no token."""

    operators: SecretStr = Field(default=SecretStr(""), description="lines of `token new`, comma separated: hashes, no tokens")
    operators_file: Path | None = Field(default=None, description="a file of such lines, read again when it changes")
    session_hours: float = Field(default=8.0, gt=0, le=24)
    secure_cookies: bool = Field(default=False, description="where browsers reach the web view by TLS only")


class Batch(Section):
    """Batch jobs, which every worker may run."""

    pool_size: int = Field(default=5, ge=5, le=10, description="connections per run and database")
    lease: float = Field(default=30.0, ge=1, description="seconds after which a silent owner of a run is replaced")
    look_interval: float = Field(default=2.0, gt=0, description="seconds between looks whose turn it is")
    chunk_timeout: float = Field(default=900.0, gt=0, description="seconds that reading or writing a chunk may take")
    statement_timeout: int = Field(default=600_000, ge=1, description="milliseconds, of a run's own statements")
    retry_pause: float = Field(
        default=15.0, gt=0, description="seconds before a chunk is tried again; twice as many each time, at most ten minutes"
    )
    fence_wait: float = Field(default=60.0, ge=0, description="seconds to wait for older transactions of a source")
    events_wait: float = Field(
        default=120.0, ge=0, description="seconds to wait until events are applied up to a run's beginning"
    )
    range_rows: int = Field(
        default=50_000, ge=1, description="rows that a scheduled reconciliation compares before it keeps how far it is"
    )
    rows_per_second: int = Field(default=5_000, ge=0, description="of a run; 0: as fast as it goes")
    peak_rows_per_second: int = Field(default=1_000, ge=0, description="of a run in the portal's peak hours")


class Retention(Section):
    """How long what is settled is kept, in days. The newest runs and reports stay, however old."""

    audit_days: int = Field(default=730, ge=365, description="lines of the audit")
    run_days: int = Field(default=400, ge=30, description="ended job runs and maintenance, closed reviews, losses made good")
    report_days: int = Field(default=180, ge=30, description="reports of reconciliations")
    letter_days: int = Field(default=90, ge=8, description="closed and discarded dead letters; topics keep theirs for 7")


class Log(Section):
    """What a process logs, on standard error."""

    format: Literal["text", "json"] = Field(default="text", description="lines for people, or an object a line")


class Notifier(Section):
    """Workers tell a webhook of alerts, for those without Prometheus. Off without a ``url``."""

    url: str = Field(default="", description="where notices are posted, signed; empty: off")
    key: SecretStr = Field(default=SecretStr(""), validate_default=True, description="signing key of Standard Webhooks")
    interval: float = Field(default=15.0, gt=0, description="seconds between looks")
    repeat: float = Field(default=14_400.0, gt=0, description="seconds until what still is so is told again")
    timeout: float = Field(default=5.0, gt=0, description="seconds to wait for the receiver")

    @field_validator("url")
    @classmethod
    def _url_is_an_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://")):
            raise ValueError("must begin with https:// or http://")
        return value

    @field_validator("key")
    @classmethod
    def _a_url_needs_a_key(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("url") and not is_signing_key(value.get_secret_value()):
            raise ValueError(SIGNING_KEY)
        return value


def is_signing_key(text: str) -> bool:
    """Whether it is a key of Standard Webhooks."""
    try:
        key = base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except ValueError:
        return False
    return text.startswith(KEY_PREFIX) and len(key) in KEY_BYTES


class Alerts(Section):
    """When people are called. Times are in seconds; what stands here holds for the notifier and for rendered rules alike."""

    lag_warning: float = Field(default=60.0, gt=0, description="a flow is behind its source")
    lag_critical: float = Field(default=300.0, gt=0, description="the same, and people are woken")
    dead_letters: int = Field(default=1000, ge=0, description="open letters of a flow")
    job_late: float = Field(default=900.0, gt=0, description="past the moment at which a run should have begun")
    job_periods: float = Field(default=2.0, gt=0, description="periods of a job without a success")
    heartbeat_silence: float = Field(default=60.0, gt=0, description="a heartbeat is written every five seconds")
    slot_warning: float = Field(default=0.5, gt=0, le=1, description="share of what a slot may retain")
    slot_critical: float = Field(default=0.8, gt=0, le=1, description="the same, and people are woken")
    slot_bytes: int = Field(default=10 * 2**30, ge=1, description="WAL of a slot where the source sets no limit")
    patience: float = Field(
        default=1.0, ge=0, description="multiplies how long anything must last before people are told; 0: not at all"
    )


class Environment(BaseSettings):
    """The sections that one kind of process reads."""

    model_config = SettingsConfigDict(
        env_prefix="SYNC_", env_nested_delimiter="__", frozen=True, extra="ignore", hide_input_in_errors=True
    )


class Settings(Environment):
    """Everything that differs between places for workers and commands; see the sections."""

    warehouse: Database
    citizen: Database
    warehouse_admin: Credentials | None = None
    citizen_admin: Credentials | None = None
    warehouse_connect: ConnectorLogin | None = None
    citizen_connect: ConnectorLogin | None = None
    kafka: Kafka
    connect: Connect = Connect()
    worker: Worker = Worker()
    web: Web = Web()
    batch: Batch = Batch()
    log: Log = Log()
    retention: Retention = Retention()
    notifier: Notifier = Notifier()
    alerts: Alerts = Alerts()
    payload_keys: SecretStr = Field(description="Fernet keys, comma separated, newest first")

    @field_validator("payload_keys")
    @classmethod
    def _keys_are_fernet_keys(cls, value: SecretStr) -> SecretStr:
        try:
            for key in value.get_secret_value().split(","):
                Fernet(key.strip())
        except ValueError:
            raise ValueError(f"each key must be 32 url-safe base64 bytes; make one with `{PROGRAM} keygen`") from None
        return value

    @property
    def databases(self) -> dict[str, Database]:
        """Both databases by their names in the definitions."""
        return {"warehouse": self.warehouse, "citizen": self.citizen}

    def warnings(self) -> list[str]:
        """What works here but does not suit production."""
        found = [
            f"SYNC_{name.upper()}__POOL_SIZE={database.pool_size}: 20 to 50 connections are meant for production"
            for name, database in self.databases.items()
            if database.pool_size not in PRODUCTION_POOL
        ]
        if EVERY_ADDRESS.intersection(self.worker.web_hosts):
            found.append("SYNC_WORKER__WEB_ALLOWED_HOSTS is not set: the web view answers to no name of this host")
        return found


def load_settings() -> Settings:
    """Read what workers and commands need; raises :class:`ConfigurationError` that names every problem."""
    return load(Settings)


def load(kind: type[E]) -> E:
    """Read the environment; raises :class:`ConfigurationError` that names every problem."""
    file = os.environ.get("SYNC_ENV_FILE") or (LOCAL_ENV_FILE if LOCAL_ENV_FILE.exists() else None)
    try:
        return kind(_env_file=file)  # type: ignore[call-arg]
    except ValidationError as error:
        raise ConfigurationError([problem for item in error.errors() for problem in _problems(kind, item)]) from None
    except SettingsError as error:
        raise ConfigurationError([f"{error}: a section is set by its parts, such as SYNC_WAREHOUSE__HOST"]) from None


def _problems(kind: type[Environment], item: ErrorDetails) -> Iterator[str]:
    variable = "SYNC_" + "__".join(str(part).upper() for part in item["loc"])
    match item["type"]:
        case "missing":
            required = _required_parts(kind, item["loc"])
            yield from (f"{name} is not set" for name in ([f"{variable}__{part}" for part in required] or [variable]))
        case "extra_forbidden":
            yield f"{variable} is no setting"
        case "value_error":
            yield f"{variable}: {item['ctx']['error']}"
        case _:
            yield f"{variable}: {item['msg']}"


def _required_parts(kind: type[Environment], location: tuple[int | str, ...]) -> list[str]:
    """What must be set of a section of which nothing is set."""
    section = kind.model_fields[str(location[0])].annotation
    if len(location) > 1 or not (isinstance(section, type) and issubclass(section, BaseModel)):
        return []
    return [name.upper() for name, field in section.model_fields.items() if field.is_required()]
