from collections import Counter
from datetime import UTC, datetime

from demo.changes import ChangeKind
from demo.console import per_second, progress_bar, stamp, summary


def test_a_moment_is_shown_in_utc_and_in_indian_time():
    assert stamp(datetime(2025, 1, 1, 20, 15, 30, tzinfo=UTC)) == "2025-01-01 20:15:30 UTC (01:45:30 IST)"


def test_a_rate_of_no_time_at_all_can_be_shown():
    assert per_second(1200, 4) == "1,200 in 4.0 s (300/s)"
    assert per_second(0, 0) == "0 in 0.0 s (0/s)"


def test_a_summary_names_the_most_frequent_kind_first():
    assert summary(Counter({ChangeKind.DELETE: 1, ChangeKind.RESCORE: 1200})) == "rescore 1,200, delete 1"
    assert summary(Counter()) == "nothing changed"


def test_no_progress_is_drawn_where_nobody_watches(capsys):
    with progress_bar("evaluations", 10) as progress:
        progress(5)
    assert capsys.readouterr() == ("", "")
