from types import SimpleNamespace

import psycopg
import pytest

from app import kept_connection
from app.cluster import DatabaseCluster
from app.questions import Questions
from flows.registry import FLOWS
from settings import Database
from sinks.operations import letters
from views.protocols import Unanswered

PLACE = Database(host="nowhere", dbname="x")


@pytest.fixture
def cluster():
    questions = Questions(SimpleNamespace(databases={"warehouse": PLACE, "citizen": PLACE}))
    yield DatabaseCluster(questions)
    questions.close()


async def test_a_replayed_letter_counts_as_open_on_the_pages_as_in_the_commands(cluster, monkeypatch):
    by_status = {"open": 2, "replayed": 3, "closed": 50, "discarded": 7}
    monkeypatch.setattr(kept_connection, "connect", lambda _: SimpleNamespace(closed=False, close=lambda: None))
    monkeypatch.setattr(letters, "counts", lambda _, __: by_status)
    assert await cluster.dead_letters() == {flow.name: 5 for flow in FLOWS}
    assert letters.unsettled(by_status) == 5


async def test_a_database_that_is_away_is_named(cluster, monkeypatch):
    def refuse(_):
        raise psycopg.OperationalError("connection refused")

    monkeypatch.setattr(kept_connection, "connect", refuse)
    with pytest.raises(Unanswered, match="the citizen database does not answer"):
        await cluster.workers()
