"""Settings as people may see them."""

from app.configuration_view import shown_settings
from settings import Settings

KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


def shown(**changes):
    database = {"host": "db", "dbname": "x", "password": "hunter2"}
    settings = Settings(
        _env_file=None,
        **{"warehouse": database, "citizen": database, "kafka": {"bootstrap_servers": "k:9092"}, "payload_keys": KEY} | changes,
    )
    return {each.variable: each for each in shown_settings(settings)}


def test_no_secret_is_shown_and_each_is_said_to_be_set_or_not():
    found = shown(kafka={"bootstrap_servers": "k:9092", "sasl_password": "hunter2"})
    everything = " ".join(each.value for each in found.values())
    assert "hunter2" not in everything
    assert KEY not in everything
    assert found["SYNC_WAREHOUSE__PASSWORD"].value == "set, not shown"
    assert found["SYNC_PAYLOAD_KEYS"].value == "set, not shown"
    assert found["SYNC_CONNECT__PASSWORD"].value == "not set"


def test_an_address_is_shown_without_its_login_and_query():
    found = shown(connect={"url": "http://user:hunter2@connect:8083/a?token=hunter2#hunter2"})
    assert found["SYNC_CONNECT__URL"].value == "http://connect:8083/a"


def test_an_address_that_cannot_be_taken_apart_is_not_shown():
    assert shown(connect={"url": "http://[hunter2"})["SYNC_CONNECT__URL"].value == "set, not shown"


def test_what_is_no_secret_is_shown_with_its_meaning():
    found = shown()
    assert found["SYNC_WAREHOUSE__HOST"].value == "db"
    assert found["SYNC_WAREHOUSE__STATEMENT_TIMEOUT"].meaning == "milliseconds"
