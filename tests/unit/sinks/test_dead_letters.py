"""What is sent to the database for a chunk's dead letters; what the statements do there is tested on a real one."""

import json
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from sinks.dead_letters import DeadLetter, write
from sinks.payload_cipher import PayloadCipher

LETTER = DeadLetter(
    topic="t", partition=3, offset=10, reason="out_of_range", detail="`score`", row_key="7", record_time=1_700_000_000_000,
    key=b"the key", value=b"the value", headers=[("name", b"the header")],
)  # fmt: skip


class Session:
    def __init__(self):
        self.sent = []

    async def run(self, statement, parameters):
        self.sent.append((statement.split()[0], parameters["flow"], json.loads(parameters["letters"])))


@pytest.fixture
def cipher():
    return PayloadCipher(SecretStr(Fernet.generate_key().decode()))


@pytest.fixture
def sent(cipher):
    """Write letters and return (verb, flow, rows) of each statement."""

    async def of(*letters):
        session = Session()
        await write(session, "a_flow", letters, cipher)
        return session.sent

    return of


async def test_all_letters_of_a_chunk_are_one_statement(sent):
    ((verb, flow, rows),) = await sent(*[replace(LETTER, offset=offset) for offset in range(500)])
    assert (verb, flow) == ("INSERT", "a_flow")
    assert sorted(row["offset"] for row in rows) == list(range(500))


async def test_no_letter_is_no_statement(sent):
    assert await sent() == []


async def test_position_and_reason_travel_in_clear_and_the_payload_encrypted(sent, cipher):
    ((_, _, (row,)),) = await sent(LETTER)
    tokens = {name: row.pop(name).encode() for name in ("record_key", "record_value", "headers")}
    assert row == {
        "topic": "t",
        "partition": 3,
        "offset": 10,
        "reason": "out_of_range",
        "detail": "`score`",
        "row_key": "7",
        "record_time": 1_700_000_000_000,
    }
    assert (cipher.decrypt(tokens["record_key"]), cipher.decrypt(tokens["record_value"])) == (b"the key", b"the value")
    assert cipher.decrypt_headers(tokens["headers"]) == [("name", b"the header")]


async def test_what_a_record_does_not_have_is_null(sent):
    ((_, _, (row,)),) = await sent(replace(LETTER, key=None, value=None, row_key=None))
    assert (row["record_key"], row["record_value"], row["row_key"]) == (None, None, None)


async def test_a_record_that_is_named_twice_is_one_row_with_the_first_reason(sent):
    ((_, _, rows),) = await sent(LETTER, replace(LETTER, reason="wrong_type"))
    assert [row["reason"] for row in rows] == ["out_of_range"]


async def test_a_row_key_that_postgresql_cannot_hold_does_not_stop_the_chunk(sent):
    ((_, _, (row,)),) = await sent(replace(LETTER, row_key="a\0b", detail="\0"))
    assert (row["row_key"], row["detail"]) == ("a�b", "�")


async def test_replays_that_are_bad_again_open_their_letters_in_one_statement_and_make_none(sent):
    again = [replace(LETTER, offset=offset, replay_of=offset + 100, reason="wrong_type") for offset in range(3)]
    fresh, opened = await sent(replace(LETTER, offset=50), *again)
    assert fresh[0] == "INSERT"
    assert [row["offset"] for row in fresh[2]] == [50]
    assert opened[0] == "UPDATE"
    assert opened[2] == [{"id": number, "reason": "wrong_type", "detail": "`score`"} for number in (100, 101, 102)]
