"""Databases and brokers over TLS with verified names, brokers with SASL: the product by settings alone."""

import pytest

from tests.support.certificates import issue
from tests.support.commands import CommandFailed, run_command
from tests.support.encrypting_proxy import encrypted
from tests.support.encryption import MECHANISM, PASSWORD, USER, encrypted_broker

FAMILIES, SNAPSHOTS = 100, 1000


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def installation(installation, certificate):
    """Everything that is started from here on knows the encrypted addresses only."""
    stack = installation.stack
    warehouse, citizen = (encrypted(part.port, certificate) for part in (stack.warehouse, stack.citizen))
    with warehouse as warehouse_port, citizen as citizen_port, encrypted_broker(stack, certificate) as address:
        installation.environment |= {
            "SYNC_KAFKA__BOOTSTRAP_SERVERS": address,
            "SYNC_KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
            "SYNC_KAFKA__SSL_CAFILE": str(certificate.authority),
            "SYNC_KAFKA__SASL_MECHANISM": MECHANISM,
            "SYNC_KAFKA__SASL_USERNAME": USER,
            "SYNC_KAFKA__SASL_PASSWORD": PASSWORD,
        }
        for name, port in {"WAREHOUSE": warehouse_port, "CITIZEN": citizen_port}.items():
            verified = {"PORT": str(port), "SSLMODE": "verify-full", "SSLROOTCERT": str(certificate.authority)}
            installation.environment |= {f"SYNC_{name}__{key}": value for key, value in verified.items()}
        yield installation


@pytest.mark.usefixtures("connectors_kept")
def test_workers_and_commands_reach_everything_by_encrypted_connections_only(installation, workers):
    installation.command("connect", "apply")
    workers.start("worker-1", "worker-2")
    installation.change(200)
    installation.becomes_all_right()
    installation.command("status")


@pytest.mark.parametrize(
    ("variable", "command"),
    [("SYNC_KAFKA__SSL_CAFILE", ("connect", "apply")), ("SYNC_WAREHOUSE__SSLROOTCERT", ("check-schema",))],
    ids=["broker", "database"],
)
def test_a_server_of_an_unknown_authority_is_refused_and_the_message_says_so(installation, tmp_path, variable, command):
    wrong = installation.environment | {variable: str(issue(tmp_path).authority)}
    with pytest.raises(CommandFailed, match="certificate verify failed"):
        run_command(wrong, *command)


def test_a_wrong_password_of_the_broker_is_refused_and_the_message_says_so_without_it(installation):
    wrong = installation.environment | {"SYNC_KAFKA__SASL_PASSWORD": "not this one"}
    with pytest.raises(CommandFailed, match="uthentication") as refused:
        run_command(wrong, "connect", "apply")
    assert "not this one" not in str(refused.value)
