import logging

import httpx
import psycopg
import pytest
from aiokafka.errors import KafkaConnectionError
from cryptography.fernet import InvalidToken

from cli.errors import EXPLAINED, exit_code, message
from cli.kafka_client_log import remember_instead_of_printing
from flows.tables import DefinitionError
from settings import ConfigurationError
from sinks.operations.audit import RefusedError


@pytest.mark.parametrize("error", [ConfigurationError(["x"]), DefinitionError("x")])
def test_wrong_configuration_has_exit_code_2(error):
    assert exit_code(error) == 2


@pytest.mark.parametrize("error", [RefusedError("x"), psycopg.OperationalError("x"), KafkaConnectionError("x")])
def test_a_problem_has_exit_code_1(error):
    assert exit_code(error) == 1


def test_an_unreachable_database_is_said_as_the_driver_says_it():
    assert message(psycopg.OperationalError("connection refused\n")) == "the database cannot be used: connection refused"


def test_connects_address_is_named():
    error = httpx.ConnectError("refused", request=httpx.Request("GET", "http://127.0.0.1:1/connectors"))
    assert "http://127.0.0.1:1/connectors" in message(error)
    assert "SYNC_CONNECT__URL" in message(error)


def test_a_token_that_no_key_opens_says_which_setting_to_mend():
    assert "SYNC_PAYLOAD_KEYS" in message(InvalidToken())


def test_every_explained_error_has_a_message():
    samples = [ConfigurationError(["x"]), RefusedError("x"), psycopg.Error("x"), KafkaConnectionError("x"), InvalidToken()]
    for sample in samples:
        assert isinstance(sample, EXPLAINED)
        assert message(sample)


def test_why_the_kafka_client_could_not_use_a_broker_is_part_of_the_message_and_is_not_printed(capsys):
    remember_instead_of_printing()
    logging.getLogger("aiokafka.client").error('Unable connect to "%s": %s', "broker:9092", "certificate verify failed")
    assert 'Unable connect to "broker:9092": certificate verify failed' in message(KafkaConnectionError("x"))
    assert capsys.readouterr().err == ""
