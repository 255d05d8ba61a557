from datetime import UTC, datetime, timedelta

from rich.console import Console

from cli.sample import FlowSample, Rates, Sample, rates
from cli.watch_view import lines, picture
from sinks.operations.workers import WorkerStatus
from stack.instance import InstanceStatus

NOW = datetime(2025, 1, 15, 10, 0, tzinfo=UTC)
FLOW = FlowSample("eligibility_hints", "running", 12_345, 900, 1_234, 2, 7, 0.3, 21.4, 43.6)


def worker(name, silent=0.5, partitions=(0, 1, 2, 5)):
    state = {"pid": 7, "host": "here", "partitions": [{"flow": FLOW.flow, "partition": each} for each in partitions]}
    return WorkerStatus(name, NOW, NOW, silent, f"http://127.0.0.1/{name}", state)


SAMPLE = Sample(NOW, [FLOW], [worker("worker-1"), worker("worker-2", silent=60.0)])


def test_a_line_has_events_rows_lag_latency_and_live_workers():
    (line,) = lines(SAMPLE, {FLOW.flow: Rates(231.4, 50)})
    assert line == (
        "2025-01-15 10:00:00 UTC · 15:30:00 IST  eligibility_hints running  events 12,345 (231/s)"
        "  rows written 1,234 (50/s)  lag 7 records, 0.3 s  commit → visible p50 21 ms p99 44 ms"
        "  workers 1 (http://127.0.0.1/worker-1)"
    )


def test_what_is_not_known_yet_is_a_dash():
    (line,) = lines(Sample(NOW, [FlowSample("f", "running", 0, 0, 0, 0, None, None, None, None)], []), {})
    assert "lag - records, -  commit → visible p50 - p99 -  workers 0" in line


def test_an_outage_is_a_line_too():
    (line,) = lines(Sample(NOW, [], [], "the database cannot be used: refused"), {})
    assert "the database cannot be used: refused; looking again" in line


def test_the_picture_shows_flows_workers_addresses_and_processes(tmp_path):
    console = Console(width=250, color_system=None)
    with console.capture() as shown:
        console.print(picture(SAMPLE, {}, [InstanceStatus("demo-1", 99, 3, tmp_path / "demo-1.log")]))
    for text in ("12,345", "21 ms", "eligibility_hints 0-2, 5", "stale", "http://127.0.0.1/worker-1", "demo-1", "99"):
        assert text in shown.get()


def test_rates_are_per_second_between_two_looks():
    later = Sample(NOW + timedelta(seconds=2), [FlowSample(FLOW.flow, "running", 12_365, 900, 1_244, 2, 0, 0, 1, 1)], [])
    assert rates(SAMPLE, later) == {FLOW.flow: Rates(10.0, 5.0)}


def test_counters_that_began_anew_count_as_still():
    later = Sample(NOW + timedelta(seconds=2), [FlowSample(FLOW.flow, "running", 12_365, 900, 4, 2, 0, 0, 1, 1)], [])
    assert rates(SAMPLE, later)[FLOW.flow].rows_written == 0


def test_the_first_look_has_no_rates():
    assert rates(None, SAMPLE) == {}
