import socket

import pytest

from stack.errors import StackError
from stack.ports import CANDIDATES, LOOPBACK, PortBook, is_free


@pytest.fixture
def book(tmp_path):
    return PortBook(tmp_path / "ports.json")


def listen_on(port: int) -> socket.socket:
    server = socket.socket()
    server.bind((LOOPBACK, port))
    server.listen()
    return server


def test_a_reserved_port_is_free_and_outside_the_ephemeral_range(book):
    port = book.reserve("kafka")
    assert port in CANDIDATES
    assert is_free(port)


def test_a_port_is_remembered_from_run_to_run(book, tmp_path):
    port = book.reserve("kafka")
    assert PortBook(tmp_path / "ports.json").reserve("kafka") == port


def test_a_remembered_port_that_somebody_took_is_chosen_anew(book):
    taken = book.reserve("kafka")
    with listen_on(taken):
        other = book.reserve("kafka")
    assert other != taken
    assert book.port("kafka") == other


def test_two_names_never_share_a_port(book):
    ports = [book.reserve(f"part-{number}") for number in range(50)]
    assert len(set(ports)) == len(ports)


def test_asking_for_a_port_before_the_first_start_says_what_to_do(book):
    with pytest.raises(StackError, match="no port for kafka: start the local stack first"):
        book.port("kafka")


def test_a_damaged_file_is_named(tmp_path):
    file = tmp_path / "ports.json"
    file.write_text("{")
    with pytest.raises(StackError, match=r"ports\.json is damaged"):
        PortBook(file).reserve("kafka")
