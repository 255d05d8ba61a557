"""Wrong settings are all named at once, by the names that an operator sets, and never with a value."""

import pytest

from settings import EVERY_ADDRESS, ConfigurationError, load_settings


@pytest.fixture
def problems(minimal):
    """Set variables beside the least that is needed and return what is wrong with them."""

    def found(**variables):
        minimal(**variables)
        with pytest.raises(ConfigurationError) as caught:
            load_settings()
        return caught.value.problems

    return found


def test_the_least_that_is_needed_is_enough(minimal):
    minimal()
    assert load_settings().warnings() == []


def test_of_a_section_of_which_nothing_is_set_every_required_variable_is_named(monkeypatch):
    monkeypatch.setenv("SYNC_ENV_FILE", "/dev/null")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert caught.value.problems == [
        "SYNC_WAREHOUSE__HOST is not set",
        "SYNC_WAREHOUSE__DBNAME is not set",
        "SYNC_CITIZEN__HOST is not set",
        "SYNC_CITIZEN__DBNAME is not set",
        "SYNC_KAFKA__BOOTSTRAP_SERVERS is not set",
        "SYNC_PAYLOAD_KEYS is not set",
    ]


@pytest.mark.parametrize("protocol", ["SASL_PLAINTEXT", "SASL_SSL"])
def test_sasl_without_a_login_names_both_variables(problems, protocol):
    assert problems(SYNC_KAFKA__SECURITY_PROTOCOL=protocol, SYNC_KAFKA__SASL_PASSWORD="") == [
        "SYNC_KAFKA__SASL_USERNAME: needed with SASL",
        "SYNC_KAFKA__SASL_PASSWORD: needed with SASL",
    ]


def test_sasl_with_a_login_and_no_sasl_without_one_are_right(minimal):
    minimal(SYNC_KAFKA__SECURITY_PROTOCOL="SSL")
    load_settings()
    minimal(SYNC_KAFKA__SECURITY_PROTOCOL="SASL_SSL", SYNC_KAFKA__SASL_USERNAME="u", SYNC_KAFKA__SASL_PASSWORD="p")
    load_settings()


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        ("SYNC_PAYLOAD_KEYS", "hunter2", "each key must be 32 url-safe base64 bytes; make one with `python -m cli keygen`"),
        ("SYNC_WORKER__WEB_PORT", "0", "Input should be greater than or equal to 1"),
        ("SYNC_CITIZEN__PORT", "hunter2", "Input should be a valid integer, unable to parse string as an integer"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable_and_not_shown(problems, variable, value, problem):
    assert problems(**{variable: value}) == [f"{variable}: {problem}"]


def test_a_variable_that_means_nothing_in_its_section_is_named(problems):
    assert problems(SYNC_WAREHOUSE__TIMEZONE="hunter2") == ["SYNC_WAREHOUSE__TIMEZONE is no setting"]


def test_a_section_that_is_set_itself_is_named_without_its_value(problems):
    (problem,) = problems(SYNC_WAREHOUSE="hunter2")
    assert '"warehouse"' in problem
    assert "such as SYNC_WAREHOUSE__HOST" in problem
    assert "hunter2" not in problem


@pytest.mark.parametrize(
    ("variables", "hosts", "url"),
    [
        ({}, ("127.0.0.1",), "http://127.0.0.1:6066/"),
        ({"WEB_HOST": "10.0.0.7", "WEB_PORT": "80"}, ("10.0.0.7",), "http://10.0.0.7:80/"),
        ({"WEB_HOST": "::1"}, ("::1",), "http://[::1]:6066/"),
        (
            {"WEB_HOST": "::", "WEB_ALLOWED_HOSTS": "sync.internal, 10.0.0.7,"},
            ("sync.internal", "10.0.0.7"),
            "http://sync.internal:6066/",
        ),
    ],
)
def test_the_web_view_answers_to_the_names_that_are_set_and_is_announced_by_the_first(minimal, variables, hosts, url):
    minimal(**{f"SYNC_WORKER__{name}": value for name, value in variables.items()})
    worker = load_settings().worker
    assert (worker.web_hosts, worker.web_url) == (hosts, url)


@pytest.mark.parametrize("host", sorted(EVERY_ADDRESS))
def test_a_web_view_on_every_address_without_a_name_is_a_warning(minimal, host):
    minimal(SYNC_WORKER__WEB_HOST=host)
    (warning,) = load_settings().warnings()
    assert "SYNC_WORKER__WEB_ALLOWED_HOSTS" in warning


def test_a_small_pool_is_a_warning(minimal):
    minimal(SYNC_CITIZEN__POOL_SIZE="5")
    assert load_settings().warnings() == ["SYNC_CITIZEN__POOL_SIZE=5: 20 to 50 connections are meant for production"]


def test_a_host_name_for_every_address_is_no_warning(minimal):
    minimal(SYNC_WORKER__WEB_HOST="::", SYNC_WORKER__WEB_ALLOWED_HOSTS="sync.internal")
    assert load_settings().warnings() == []
