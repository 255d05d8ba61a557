"""What is said of batch jobs and of the reconciliation, and what the peer of batch jobs copies."""

import pytest

from bench.batch_worker import Ran
from bench.batches import Batches, Synced, batch_figures
from bench.psql_copy import expected
from bench.reconciliation import Reconciled, reconciliation_figures
from flows.golden_records import GOLDEN_RECORDS
from flows.profile_summary import PROFILE_SUMMARY
from flows.user_behavior import USER_BEHAVIOR


def ran(seconds, peak_mb=100.0):
    return Ran("job", seconds, 1000, 1000, 0, peak_mb, 0.0)


def figures(synced):
    return {figure.measure: figure for figure in batch_figures(Batches((synced,), ran(8.0, 151.0), 4.0, 500_000, 480.0))}


def test_a_full_sync_is_measured_against_the_peer_and_its_repetition_against_itself():
    found = figures(Synced("golden_records", 1000, ran(2.0), ran(0.5), 1.0))
    changed, unchanged = (found[f"full sync of 1,000 rows, golden_records, {what}"] for what in ("all changed", "unchanged"))
    assert (changed.ratio, changed.met) == (0.5, False)
    assert (unchanged.ratio, unchanged.met) == (4.0, True)


def test_time_memory_and_latency_have_limits_of_their_own():
    found = figures(Synced("golden_records", 1000, ran(2.0), ran(0.5), 1.0))
    assert found["500,000 events aggregated"].met is True
    assert (found["memory of the worker, at most"].ours, found["memory of the worker, at most"].met) == (151.0, False)
    assert found["commit → visible during a paced full sync, p99"].met is True


def test_a_comparison_is_a_rate_against_the_peers():
    equal, job, memory, repaired = reconciliation_figures(Reconciled(1_000_000, 4.0, 16.0, ran(5.0, 151.0), 100, 99, 3.0))
    assert (equal.ours, equal.theirs, equal.met) == (250_000.0, 62_500.0, True)
    assert (job.ours, job.theirs) == (200_000.0, 62_500.0)
    assert (memory.ours, memory.met) == (151.0, False)
    assert repaired.met is False


@pytest.mark.parametrize("flow", [GOLDEN_RECORDS, PROFILE_SUMMARY, USER_BEHAVIOR], ids=lambda flow: flow.name)
def test_the_peer_copies_what_the_target_holds_by_the_same_transforms(flow):
    measured = dict(flow.measures) if flow is USER_BEHAVIOR else {}
    mapped = [column for column in flow.target.columns if column.name not in {*flow.target.key, *measured}]
    assert all(column.sql(f"s.{column.source}") in expected(flow) for column in mapped)
    assert all(f"{measure}(s.{flow.target.column(name).source})" in expected(flow) for name, measure in measured.items())


def test_the_peer_copies_the_number_masked():
    assert "s.jan_aadhaar AS jan_aadhaar" not in expected(GOLDEN_RECORDS)
