"""The runs of a drain become one figure per peer and kind."""

from bench.drain import Drained
from bench.drain_figures import drain_figures


def run(contender, rate):
    return Drained(contender, 1000, 1000 / rate, rate, rate / 2, 1e6 / rate, 100.0, 0.0)


RUNS = [run("plain loop", 40_000.0), run("ours", 20_000.0), run("quix streams", 7_000.0), run("jdbc sink", 5_000.0)]
WITH_SCHEMAS = "jdbc sink, schemas in records"


def found(runs, measure):
    return {figure.peer: figure for figure in drain_figures(runs) if figure.measure == measure}


def test_ours_is_compared_with_every_peer():
    assert {peer: figure.ratio for peer, figure in found(RUNS, "drain").items()} == {
        "jdbc sink": 4.0,
        "quix streams": 20 / 7,
        "plain loop": 0.5,
    }


def test_promises_concern_the_jdbc_sink_that_reads_schemas_and_the_plain_loop():
    drains = found([*RUNS, run(WITH_SCHEMAS, 6_700.0)], "drain")
    assert {peer: str(figure.goal) for peer, figure in drains.items() if figure.goal} == {
        WITH_SCHEMAS: "≥ 3x",
        "plain loop": "≥ 0.4x",
    }
    assert not drains[WITH_SCHEMAS].met
    assert drains["plain loop"].met


def test_the_start_of_the_process_counts_in_figures_of_its_own():
    assert found(RUNS, "drain from start")["plain loop"].ours == 10_000.0


def test_of_several_rounds_the_median_counts_for_each_contender():
    rounds = [*RUNS, run("ours", 1_000.0), run("ours", 30_000.0), run("plain loop", 10.0), run("plain loop", 50_000.0)]
    assert found(rounds, "drain")["plain loop"].ours == 20_000.0
    assert found(rounds, "drain")["plain loop"].theirs == 40_000.0
