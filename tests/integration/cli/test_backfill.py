"""`backfill` on both real databases: what it asks the workers for, and what it refuses."""

from datetime import UTC, datetime

import pytest

from cli import job_requests

KEY = "00000000-0000-0000-0000-00000000000a"


class Noon(datetime):
    """06:00 UTC on a Tuesday, in the portal's peak hours."""

    @classmethod
    def now(cls, tz=None):
        return datetime(2026, 3, 3, 6, 0, tzinfo=tz or UTC)


def test_a_backfill_is_a_run_of_its_job_and_stands_in_the_audit(migrated, answer):
    asked = answer(
        "backfill", "golden_records", "--key-from", KEY.upper(), "--since", "2026-03-01", "--rate", 50, "--force", "--detach"
    )
    assert (asked["job"], asked["lane"], asked["state"], asked["forced"]) == (
        "backfill_golden_records",
        "golden",
        "scheduled",
        True,
    )
    assert asked["parameters"] == {"low": KEY, "since": "2026-03-01T00:00:00+00:00", "rows_per_second": 50}
    (action, reason) = migrated.citizen.execute("SELECT action, reason FROM sync.audit").fetchone()
    assert (action, reason) == ("run job", f"forced, low: {KEY}, since: 2026-03-01T00:00:00+00:00, rows_per_second: 50")
    assert answer("jobs", "show", "backfill_golden_records")["run_id"] == asked["run_id"]


def test_who_waits_learns_how_the_run_ended_and_sees_no_bar_without_a_terminal(migrated, sync, monkeypatch):
    def fail(_):
        migrated.citizen.execute("UPDATE sync.job_run SET state = 'failed', reason = 'the disk is full', ended_at = now()")

    monkeypatch.setattr("cli.run_watch.time.sleep", fail)
    result = sync("backfill", "golden_records", "--force")
    assert result.exit_code == 1
    assert "the disk is full" in result.stdout
    assert "backfill_golden_records: failed" not in result.stderr


def test_in_peak_hours_a_backfill_needs_force(migrated, sync, answer, monkeypatch):
    monkeypatch.setattr(job_requests, "datetime", Noon)
    refused = sync("backfill", "golden_records", "--detach")
    assert refused.exit_code == 1
    assert "backfill_golden_records starts all the same when forced (--force)" in refused.output
    assert migrated.citizen.execute("SELECT count(*) FROM sync.job_run").fetchone() == (0,)
    assert answer("backfill", "golden_records", "--force", "--detach")["forced"] is True


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("eligibility_hints",), 1, "resync eligibility_hints` has them read the whole source again"),
        (("application_events",), 1, "reconcile run application_events --key-from KEY --key-to KEY` repairs a range"),
        (("ml_alerts",), 1, "ml_alerts has no source table"),
        (("document_metadata", "--since", "2026-03-01"), 2, "no captured column of document_metadata says when"),
        (("golden_records", "--since", "2999-03-01"), 2, "that moment is still to come"),
        (("golden_records", "--key-from", "12"), 2, "'12' is no uuid"),
        (("profile_summary", "--key-to", "x"), 2, "'x' is no bigint"),
        (("everything",), 2, "no flow 'everything'"),
    ],
)
def test_what_cannot_be_backfilled_is_refused_with_what_to_do_instead(shell, sync, arguments, code, message):
    result = sync("backfill", *arguments)
    assert result.exit_code == code
    assert message in " ".join(result.output.replace("│", " ").split())
