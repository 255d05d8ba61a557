import json

import pytest
from typer.testing import CliRunner

from cli.app import app


def run(*arguments):
    return CliRunner().invoke(app, ["jobs", "plan", "--calendar-only", *arguments])


def test_the_plan_of_a_first_sunday_names_start_and_reason_in_both_zones():
    shown = run("--from", "2026-03-01", "--to", "2026-03-01T07:00").stdout
    (line,) = [line for line in shown.splitlines() if " user_behavior " in line and "deferred" in line and "feedback" not in line]
    assert line.startswith("2026-03-01 02:00:00 UTC · 07:30:00 IST")
    assert "2026-03-01 06:30:00 UTC · 12:00:00 IST" in line
    assert "maintenance on the first Sunday of the month, then peak hours 09-12 IST" in line


def test_the_plan_as_json_holds_every_slot_with_its_fate():
    document = json.loads(run("--from", "2026-03-01T02:00", "--to", "2026-03-01T05:00", "--json").stdout)
    hourly = [(each["scheduled_for"][11:16], each["fate"]) for each in document if each["job"] == "profile_summary_hourly"]
    assert hourly == [("02:00", "coalesced"), ("03:00", "coalesced"), ("04:00", "runs")]


def test_times_with_a_zone_are_taken_as_they_are():
    ours, theirs = run("--from", "2026-03-02T00:00", "--json"), run("--from", "2026-03-02T05:30+05:30", "--json")
    assert json.loads(ours.stdout) == json.loads(theirs.stdout) != []


@pytest.mark.parametrize("span", [("2026-03-02", "2026-03-01"), ("2026-03-02", "2026-03-02"), ("2026-03-02", "2028-03-02")])
def test_an_impossible_span_is_refused(span):
    result = run("--from", span[0], "--to", span[1])
    assert result.exit_code == 2
    assert "the end must be behind the beginning" in result.output


def test_what_is_no_time_is_refused_with_examples():
    result = run("--from", "tomorrow")
    assert result.exit_code == 2
    assert "'tomorrow' is no time; write 2026-03-01" in result.output
