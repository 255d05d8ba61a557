from collections import Counter
from threading import Event

import psycopg
import pytest

from demo.changes import ChangeKind
from demo.pace import Pace
from demo.runner import Runner, burst_for


class FakeClock:
    def __init__(self):
        self.now = 100.0
        self.waits = []

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


class FakeConnection:
    closed = False

    def close(self):
        self.closed = True


class FakeTrickle:
    """Raises the errors it was given, one per burst (None: the burst succeeds)."""

    def __init__(self, *outcomes):
        self.outcomes = iter(outcomes)
        self.bursts = []

    def burst(self, conn, changes):
        assert not conn.closed
        if error := next(self.outcomes, None):
            raise error
        self.bursts.append(changes)
        return Counter({ChangeKind.DELETE: changes})


class ImpatientEvent(Event):
    """Lets no time pass, unless it is set."""

    def wait(self, timeout=None):
        return super().wait(0)


@pytest.fixture
def opened():
    return []


@pytest.fixture
def lines():
    return []


def runner(trickle, opened, lines, stop=None):
    def connect():
        opened.append(FakeConnection())
        return opened[-1]

    return Runner(trickle, connect, lines.append, stop or ImpatientEvent())


def test_the_pace_keeps_the_rate_whatever_the_work_takes():
    clock = FakeClock()
    pace = Pace(10, clock, clock.wait)
    for work in (0.02, 0.09, 0.0):
        clock.now += work
        pace.spend(1)
    assert clock.now == pytest.approx(100.3)
    assert clock.waits == pytest.approx([0.08, 0.01, 0.1])


def test_the_pace_makes_up_for_a_short_delay_and_forgets_a_long_one():
    clock = FakeClock()
    pace = Pace(10, clock, clock.wait)
    clock.now += 0.25
    pace.spend(1)
    pace.spend(1)
    assert clock.waits == []
    clock.now += 60
    pace.spend(1)
    spent = 0
    while not clock.waits:
        pace.spend(1)
        spent += 1
    assert spent <= 11


def test_a_rate_of_zero_never_waits():
    clock = FakeClock()
    Pace(0, clock, clock.wait).spend(1000)
    assert clock.waits == []


@pytest.mark.parametrize(("rate", "burst"), [(0.5, 1), (5, 1), (231, 1), (4000, 20), (0, 500)])
def test_a_burst_grows_with_the_rate(rate, burst):
    assert burst_for(rate) == burst


def test_the_limit_is_met_exactly_by_a_smaller_last_burst(opened, lines):
    trickle = FakeTrickle()
    done = runner(trickle, opened, lines).run(0, burst=4, limit=10)
    assert trickle.bursts == [4, 4, 2]
    assert done == {ChangeKind.DELETE: 10}
    assert [conn.closed for conn in opened] == [True]


def test_an_outage_is_told_once_outlasted_and_its_end_told(opened, lines):
    away = psycopg.OperationalError("server closed the connection\nmore")
    done = runner(FakeTrickle(None, away, away, away), opened, lines).run(0, burst=1, limit=2)
    assert done.total() == 2
    assert len(opened) == 4
    assert all(conn.closed for conn in opened)
    assert lines[0] == "database not usable, trying until it is: server closed the connection"
    assert lines[1].startswith("database usable again after")
    assert len(lines) == 2


def test_a_database_that_is_away_at_the_start_is_waited_for(lines):
    attempts = iter([psycopg.OperationalError("connection refused"), FakeConnection()])

    def connect():
        attempt = next(attempts)
        if isinstance(attempt, Exception):
            raise attempt
        return attempt

    done = Runner(FakeTrickle(), connect, lines.append, ImpatientEvent()).run(0, burst=1, limit=1)
    assert done.total() == 1
    assert lines[0] == "database not usable, trying until it is: connection refused"


def test_a_stop_during_an_outage_ends_the_run(opened, lines):
    stop = Event()

    class Outage(FakeTrickle):
        def burst(self, conn, changes):
            stop.set()
            raise psycopg.OperationalError("gone")

    assert not runner(Outage(), opened, lines, stop).run(0, burst=1)


def test_an_error_that_is_no_outage_is_raised_and_the_connection_closed(opened, lines):
    with pytest.raises(psycopg.errors.UndefinedTable):
        runner(FakeTrickle(psycopg.errors.UndefinedTable("no such table")), opened, lines).run(0, burst=1)
    assert opened[0].closed
    assert lines == []
