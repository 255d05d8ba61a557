"""One Kafka node in KRaft mode: broker and controller in one process, loopback only."""

import shutil
import subprocess
from pathlib import Path

from stack.component import Component
from stack.errors import StackError
from stack.folder import StateFolder
from stack.jars import Jars
from stack.java import java_command, java_environment, write_properties
from stack.kafka_answers import has_live_broker
from stack.managed_process import Command
from stack.ports import LOOPBACK, PortBook

FORMAT_SECONDS = 60
CLUSTER_ID = "c3luYy1sb2NhbC1zdGFjaw"  # base64url of sixteen bytes; any constant does: one node is the whole cluster
# A row of 8 MB is a change of 16 MB under replica identity full. Connect's producer and the workers use the same limit.
LARGEST_RECORD = 16 * 1024 * 1024
# The default of 50 partitions per internal topic costs files and start-up time, and one node gains nothing by them.
INTERNAL_PARTITIONS = 10


class KafkaBroker(Component):
    """The broker. Its data folder is formatted once.

    ``further``: properties beside and before our own, such as another listener; in force from the next start.
    """

    def __init__(self, folder: StateFolder, ports: PortBook, jars: Jars) -> None:
        super().__init__("kafka", folder)
        self._ports = ports
        self._jars = jars
        self.further: dict[str, str | int] = {}

    @property
    def bootstrap_servers(self) -> str:
        """Address for clients, host:port."""
        return f"{LOOPBACK}:{self._ports.port('kafka')}"

    def prepare(self) -> None:
        """Format the data folder on the first start; a format that was cut short is done again."""
        data = self._folder.data("kafka")
        if not data.exists():
            draft = self._folder.data("kafka.draft")
            shutil.rmtree(draft, ignore_errors=True)
            self._format(draft)
            draft.replace(data)
        write_properties(self._config, self._properties(data))

    def command(self) -> Command:
        """Run the node in the foreground."""
        argv = java_command(self._jars, "kafka.Kafka", [str(self._config)])
        return Command(argv, java_environment({}), self._folder.root)

    def answers(self) -> bool:
        """Whether the broker serves requests and is registered with the controller."""
        return has_live_broker(LOOPBACK, self._ports.port("kafka"))

    @property
    def _config(self) -> Path:
        return self._folder.config / "kafka.properties"

    def _format(self, data: Path) -> None:
        config = self._folder.config / "kafka-format.properties"
        write_properties(config, self._properties(data))
        arguments = ["format", "--cluster-id", CLUSTER_ID, "--config", str(config)]
        done = subprocess.run(
            java_command(self._jars, "kafka.tools.StorageTool", arguments),
            env=java_environment({}),
            capture_output=True,
            text=True,
            check=False,
            timeout=FORMAT_SECONDS,
        )
        if done.returncode != 0:
            raise StackError(f"Kafka could not format {data}: {done.stdout.strip()} {done.stderr.strip()}")

    def _properties(self, data: Path) -> dict[str, str | int]:
        port, controller = self._ports.port("kafka"), self._ports.port("kafka-controller")
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
            "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
            "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(data),
            "auto.create.topics.enable": "false",  # a misspelt name must fail, not make a topic of one partition
            "message.max.bytes": LARGEST_RECORD,
            "replica.fetch.max.bytes": LARGEST_RECORD,
            "group.initial.rebalance.delay.ms": 0,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": INTERNAL_PARTITIONS,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": INTERNAL_PARTITIONS,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            **self.further,
        }
