from cli.connectors import connector_configurations
from settings import load_settings


def test_the_connector_gets_the_certificates_of_its_own_login_and_the_authority_of_the_database(minimal):
    minimal(
        SYNC_WAREHOUSE__SSLMODE="verify-full",
        SYNC_WAREHOUSE__SSLROOTCERT="/etc/tls/ca.pem",
        SYNC_WAREHOUSE__SSLCERT="/etc/tls/worker.pem",
        SYNC_WAREHOUSE__SSLKEY="/etc/tls/worker.key",
        SYNC_WAREHOUSE_CONNECT__USER="sync_connect",
        SYNC_CITIZEN_CONNECT__USER="sync_connect",
        SYNC_WAREHOUSE_CONNECT__SSLCERT="/etc/tls/connect.pem",
        SYNC_WAREHOUSE_CONNECT__SSLKEY="/etc/tls/connect.pk8",
    )
    configuration = connector_configurations(load_settings())["sync_warehouse"]
    names = ("user", "sslmode", "sslrootcert", "sslcert", "sslkey")
    assert [configuration[f"database.{name}"] for name in names] == [
        *("sync_connect", "verify-full", "/etc/tls/ca.pem", "/etc/tls/connect.pem", "/etc/tls/connect.pk8"),
    ]
