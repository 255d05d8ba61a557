"""What a run says of itself, as a document and as a page."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.golden_records import GOLDEN_RECORDS
from reconcile.history import Record, State
from reconcile.judging import Difference, What
from reconcile.listing import Listed
from reconcile.progress import LEFT, REPAIRED, SHOWN, Progress, Violation
from reconcile.ranges import EVERYTHING
from reconcile.report import Verdict, report, run_verdict, verdict_of
from views.reconciliation import LEAST, WIDTH, reconciliation_page, segments

NOW = datetime(2026, 1, 4, 3, 0, tzinfo=UTC)


def record(state=State.DONE, flow=GOLDEN_RECORDS.name, problem=None, **progress):
    done = Progress(finished=state is State.DONE, **progress)
    return Record(
        "20260104T030000Z-0a1b",
        flow,
        repairs=True,
        bounds=EVERYTHING,
        state=state,
        progress=done,
        problem=problem,
        started_at=NOW,
        updated_at=NOW,
    )


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (record(expected=9, standing=9), Verdict.EQUAL),
        (record(missing=2, repaired=2), Verdict.REPAIRED),
        (record(missing=2, repaired=1, left=1), Verdict.DIFFERS),
        (record(missing=2), Verdict.DIFFERS),
        (record(violations=[Violation("r", 1)]), Verdict.DIFFERS),
        (record(State.UNDECIDED, problem="behind"), Verdict.UNDECIDED),
        (record(State.RUNNING), Verdict.RUNNING),
        (record(State.UNDECIDED, problem="behind", missing=1), Verdict.DIFFERS),
        (record(quarantined=3, edge=1), Verdict.EQUAL),
    ],
)
def test_a_flow_is_as_good_as_what_is_left(given, verdict):
    assert verdict_of(given) is verdict


def test_a_run_is_as_bad_as_its_worst_flow():
    assert run_verdict([record(), record(missing=1, repaired=1)]) is Verdict.REPAIRED
    assert run_verdict([record(missing=1), record(State.UNDECIDED, problem="p")]) is Verdict.DIFFERS


def test_rows_are_counted_by_what_they_are_and_shown_while_there_is_room():
    rows = [Difference(str(number), "", What.DIFFERENT, ("city",)) for number in range(SHOWN + 5)]
    progress = Progress()
    progress.found({row.key: [row] for row in rows})
    progress.settled(rows[:3], LEFT, {"0": "why"})
    progress.settled(rows[3:], REPAIRED, {})
    progress.listed({"x": Listed.QUARANTINED})
    assert (progress.different, progress.left, progress.repaired, progress.quarantined) == (SHOWN + 5, 3, SHOWN + 2, 1)
    assert progress.columns == {"city": SHOWN + 5}
    assert len(progress.rows) == SHOWN
    assert progress.rows[0].reason == "why"


def test_whatever_there_is_can_be_seen_in_the_picture():
    flow = report([record(expected=1_000_000, standing=1_000_000, different=1, repaired=1)])["flows"][0]
    parts = segments(flow)
    assert [(part.name, part.rows) for part in parts] == [("equal", 999_999), ("repaired", 1)]
    assert min(part.width for part in parts) >= LEAST
    assert sum(part.width for part in parts) == pytest.approx(WIDTH, abs=0.1)
    assert segments(report([record()])["flows"][0]) == []


def test_the_page_tells_everything_escapes_it_and_needs_nothing_else():
    shown = replace(record(State.UNDECIDED, problem="<behind>", different=1, left=1, expected=5, standing=5))
    shown.progress.settled([Difference("<key>", "", What.DIFFERENT, ("city",))], LEFT, {"<key>": "a <reason>"})
    page = reconciliation_page(report([shown, record(flow="removed_since", missing=1, repaired=1)]))
    for text in ("&lt;behind&gt;", "&lt;key&gt;", "a &lt;reason&gt;", "removed_since", "08:30:00 IST", "city"):
        assert text in page
    assert "<key>" not in page
    assert not any(sign in page for sign in ("src=", "href=", "url(", "@import"))
