"""Kafka Connect, distributed mode, one worker, with Debezium's PostgreSQL connector on its plugin path."""

import re

import httpx

from stack.component import Component
from stack.folder import StateFolder
from stack.jars import Jars
from stack.java import java_command, java_environment, write_properties
from stack.kafka import LARGEST_RECORD
from stack.managed_process import Command
from stack.ports import LOOPBACK, PortBook
from stack.stack_env import connect_credentials, read_env

ANSWER_SECONDS = 2.0
JSON_CONVERTER = "org.apache.kafka.connect.json.JsonConverter"
# The group coordinator waits this long for a killed worker before its connectors run again (broker minimum: 6 s).
SESSION_MILLISECONDS = 6_000


class ConnectWorker(Component):
    """The Connect worker. Connectors are applied through its REST interface by the operator commands, not here."""

    def __init__(self, folder: StateFolder, ports: PortBook, jars: Jars) -> None:
        super().__init__("connect", folder)
        self._ports = ports
        self._jars = jars

    @property
    def url(self) -> str:
        """Address of the REST interface."""
        return f"http://{LOOPBACK}:{self._ports.port('connect')}"

    def prepare(self) -> None:
        """Write the worker's configuration; it holds no secret."""
        write_properties(self._folder.config / "connect.properties", self._properties())

    def command(self) -> Command:
        """Run the worker in the foreground; the databases' passwords are in its environment only."""
        config = str(self._folder.config / "connect.properties")
        argv = java_command(self._jars, "org.apache.kafka.connect.cli.ConnectDistributed", [config])
        return Command(argv, java_environment(self._credentials()), self._folder.root)

    def answers(self) -> bool:
        """Whether the worker has joined its group and serves requests (GET /health, KIP-1017)."""
        try:
            return httpx.get(f"{self.url}/health", timeout=ANSWER_SECONDS).is_success
        except httpx.TransportError:
            return False

    def _credentials(self) -> dict[str, str]:
        return connect_credentials(read_env(self._folder.env_file))

    def _properties(self) -> dict[str, str | int]:
        return {
            "bootstrap.servers": f"{LOOPBACK}:{self._ports.port('kafka')}",
            "listeners": self.url,
            "plugin.path": str(self._jars.plugins),
            "plugin.discovery": "service_load",
            "key.converter": JSON_CONVERTER,
            "value.converter": JSON_CONVERTER,
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "producer.max.request.size": LARGEST_RECORD,
            "consumer.max.partition.fetch.bytes": LARGEST_RECORD,
            "offset.flush.interval.ms": 5_000,
            **self._group(),
            **self._secrets_by_reference(),
        }

    def _group(self) -> dict[str, str | int]:
        storage = {f"{kind}.storage.topic": f"connect-{kind}s" for kind in ("offset", "config")}
        replication = {f"{kind}.storage.replication.factor": 1 for kind in ("offset", "config", "status")}
        return {
            "group.id": "connect",
            **storage,
            "status.storage.topic": "connect-status",
            **replication,
            "offset.storage.partitions": 1,
            "status.storage.partitions": 1,
            "session.timeout.ms": SESSION_MILLISECONDS,
            "heartbeat.interval.ms": SESSION_MILLISECONDS // 3,
            "scheduled.rebalance.max.delay.ms": 0,  # one worker: nobody else could come back for the tasks
        }

    def _secrets_by_reference(self) -> dict[str, str | int]:
        """Let connector configurations say ${env:NAME}, for the credentials' names and no other variable."""
        allowed = "|".join(re.escape(name) for name in sorted(self._credentials()))
        return {
            "config.providers": "env",
            "config.providers.env.class": "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            "config.providers.env.param.allowlist.pattern": allowed,
        }
