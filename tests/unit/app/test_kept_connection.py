import threading

import psycopg
import pytest

from app import kept_connection
from app.kept_connection import KeptConnection
from settings import Database

PLACE = Database(host="nowhere", dbname="smart_citizen")


class Connection:
    closed = False

    def close(self):
        self.closed = True


@pytest.fixture
def opened(monkeypatch):
    """The connections that were opened, oldest first."""
    connections = []

    def connect(place, **_):
        assert place is PLACE
        connections.append(Connection())
        return connections[-1]

    monkeypatch.setattr(kept_connection, "connect", connect)
    return connections


@pytest.fixture
def database():
    database = KeptConnection(PLACE)
    yield database
    database.close()


def itself(connection):
    if connection.closed:
        raise psycopg.OperationalError("the connection is closed")
    return connection


def broken(connection):
    connection.closed = True
    raise psycopg.OperationalError("the server is gone")


async def test_all_questions_share_one_connection_and_one_thread_that_is_not_the_loops(database, opened):
    assert opened == []
    assert await database.ask(itself) is await database.ask(itself) is opened[0]
    threads = {await database.ask(lambda _: threading.get_ident()) for _ in range(5)}
    assert len(threads) == len(opened) == 1
    assert threads != {threading.get_ident()}


async def test_a_connection_that_died_unnoticed_is_replaced_and_the_question_answered(database, opened):
    await database.ask(itself)

    def answered_by_a_new_one_only(connection):
        return broken(connection) if connection is opened[0] else "answer"

    assert await database.ask(answered_by_a_new_one_only) == "answer"
    assert len(opened) == 2


async def test_an_outage_is_told_and_the_next_question_opens_a_connection(database, opened):
    with pytest.raises(psycopg.OperationalError):
        await database.ask(broken)
    assert len(opened) == 1, "a new connection that fails is not tried twice"
    assert await database.ask(itself) is opened[1]


async def test_a_refused_statement_keeps_the_connection(database, opened):
    def refused(_):
        raise psycopg.errors.UndefinedTable("no such table")

    await database.ask(itself)
    with pytest.raises(psycopg.errors.UndefinedTable):
        await database.ask(refused)
    assert await database.ask(itself) is opened[0]


async def test_closing_lets_the_connection_go_and_refuses_further_questions(database, opened):
    done = threading.Event()
    await database.ask(itself)
    opened[0].close = done.set
    database.close()
    assert done.wait(5)
    with pytest.raises(psycopg.OperationalError, match="the worker stops"):
        await database.ask(itself)
