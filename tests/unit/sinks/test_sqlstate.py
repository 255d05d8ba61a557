import pytest

from sinks.sqlstate import Remedy, remedy


@pytest.mark.parametrize(
    "code",
    ["08006", "08001", "53100", "53300", "57P01", "57P03", "58030", "25006", "25P03", "40001", "40P01", "55P03"],
)
def test_outages_and_conflicts_wait(code):
    assert remedy(code, connection_closed=False) is Remedy.WAIT


@pytest.mark.parametrize("code", ["22001", "22P02", "22003", "23505", "23514", "23502", "54000"])
def test_a_row_that_the_database_refuses_is_searched(code):
    assert remedy(code, connection_closed=False) is Remedy.BISECT


@pytest.mark.parametrize("code", ["42P01", "42703", "42501", "0A000", "XX000", "25P02", "28P01"])
def test_everything_else_stops_the_flow(code):
    assert remedy(code, connection_closed=False) is Remedy.STOP


def test_a_lost_connection_without_a_code_waits():
    assert remedy(None, connection_closed=True) is Remedy.WAIT
    assert remedy(None, connection_closed=False) is Remedy.STOP
