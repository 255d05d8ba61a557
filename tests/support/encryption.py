"""The shared stack's broker with TLS and SASL, as a production has it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.jars import DEFAULT_JARS, Jars
from stack.java import java_command, java_environment
from stack.local import LocalStack
from stack.ports import LOOPBACK
from tests.support.certificates import Certificate

USER, PASSWORD = "sync", "a password of the tests"
MECHANISM = "SCRAM-SHA-512"


@contextmanager
def encrypted_broker(stack: LocalStack, certificate: Certificate) -> Iterator[str]:
    """Let the broker listen on one more port, for TLS and SASL only; its address is handed out."""
    address = f"{LOOPBACK}:{stack.ports.reserve('kafka-secured')}"
    usual = dict(line.split("=", 1) for line in (stack.folder.config / "kafka.properties").read_text().splitlines())
    stack.kafka.further = {
        "listeners": f"{usual['listeners']},SECURED://{address}",
        "advertised.listeners": f"{usual['advertised.listeners']},SECURED://{address}",
        "listener.security.protocol.map": f"{usual['listener.security.protocol.map']},SECURED:SASL_SSL",
        "listener.name.secured.ssl.keystore.type": "PEM",
        "listener.name.secured.ssl.keystore.location": str(_keystore(certificate)),
        "listener.name.secured.sasl.enabled.mechanisms": MECHANISM,
        f"listener.name.secured.{MECHANISM.lower()}.sasl.jaas.config": (
            "org.apache.kafka.common.security.scram.ScramLoginModule required;"
        ),
    }
    _restart(stack)
    try:
        _make_login(stack)
        yield address
    finally:
        stack.kafka.further = {}
        _restart(stack)


def _keystore(certificate: Certificate) -> Path:
    """Key and certificate in one file, as Kafka reads PEM."""
    file = certificate.key.with_name("keystore.pem")
    file.write_bytes(certificate.key.read_bytes() + certificate.chain.read_bytes())
    return file


def _restart(stack: LocalStack) -> None:
    stack.kafka.stop()
    stack.kafka.start()
    stack.kafka.wait_ready()


def _make_login(stack: LocalStack) -> None:
    jars = Jars(Path(os.environ.get("SYNC_TEST_JARS", DEFAULT_JARS)).absolute())
    login = ["--add-config", f"{MECHANISM}=[password={PASSWORD}]", "--entity-type", "users", "--entity-name", USER]
    arguments = ["--bootstrap-server", stack.kafka.bootstrap_servers, "--alter", *login]
    command = java_command(jars, "kafka.admin.ConfigCommand", arguments)
    subprocess.run(command, env=java_environment({}), check=True, capture_output=True)
