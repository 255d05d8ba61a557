import pytest

from flows.tables import Database
from sinks.operations.slots import Retention
from views.levels import Level
from views.source_problems import slot_problem


def slot(status="reserved", retained=10, safe=90):
    return Retention("sync_warehouse", active=True, wal_status=status, retained_bytes=retained, safe_bytes=safe)


@pytest.mark.parametrize("healthy", [slot(), slot(safe=None), slot(retained=None)])
def test_a_slot_with_room_is_no_problem(healthy):
    assert slot_problem(Database.WAREHOUSE, healthy) is None


@pytest.mark.parametrize(
    ("bad", "level", "words"),
    [
        (slot(retained=55, safe=45), Level.WARNING, "is in danger"),
        (slot(retained=85, safe=15), Level.CRITICAL, "is in danger"),
        (slot("unreserved"), Level.WARNING, "is in danger"),
        (slot("lost", None, None), Level.CRITICAL, "is lost: `connect reset sync_warehouse`"),
    ],
)
def test_a_slot_in_danger_is_named_with_what_to_do(bad, level, words):
    problem = slot_problem(Database.WAREHOUSE, bad)
    assert (problem.level, words in problem.text) == (level, True)


def test_while_it_fills_the_text_stays_the_same():
    texts = {slot_problem(Database.WAREHOUSE, slot(retained=kept, safe=100 - kept)).text for kept in range(50, 100)}
    assert len(texts) == 1
