from types import SimpleNamespace

import psycopg
import pytest

from app import kept_connection
from app.cluster import DatabaseCluster
from app.questions import Questions
from settings import Database
from sinks.operations import letters
from views.protocols import Unanswered

PLACE = Database(host="nowhere", dbname="x")
OTHER = Database(host="elsewhere", dbname="y")


@pytest.fixture
def cluster():
    questions = Questions(SimpleNamespace(databases={"warehouse": PLACE, "citizen": OTHER}))
    yield DatabaseCluster(questions)
    questions.close()


async def test_open_letters_are_counted_over_all_reasons_and_databases(cluster, monkeypatch):
    monkeypatch.setattr(
        kept_connection, "connect", lambda place, **_: SimpleNamespace(closed=False, close=lambda: None, place=place)
    )
    by_database = {id(PLACE): {"ml_alerts": {"out_of_range": 2, "bad_json": 3}}, id(OTHER): {"profile_updates": {"bad_json": 1}}}
    monkeypatch.setattr(letters, "open_by_reason", lambda connection: by_database[id(connection.place)])
    assert await cluster.dead_letters() == {"ml_alerts": 5, "profile_updates": 1}


async def test_a_database_that_is_away_is_named(cluster, monkeypatch):
    def refuse(_, **__):
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(kept_connection, "connect", refuse)
    with pytest.raises(Unanswered, match="the citizen database does not answer"):
        await cluster.workers()
