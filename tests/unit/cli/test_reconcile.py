"""`reconcile` on the command line: what is refused before anything is touched, and how a document looks."""

import io

import pytest
from rich.console import Console
from typer.testing import CliRunner

from cli.app import app
from cli.reconcile_view import RunProgress, flows_tables, runs_table
from flows.golden_records import GOLDEN_RECORDS
from reconcile.history import Record, State
from reconcile.progress import Progress, ShownRow, Violation
from reconcile.ranges import EVERYTHING
from reconcile.report import report


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "no flow 'nonsense'"),
        (["--key-from", "1"], "a range of keys is of one flow"),
        (["golden_records", "scheme_map", "--key-to", "1"], "a range of keys is of one flow"),
        (["golden_records", "--key-from", "1"], "keys of golden_records are of type uuid"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(arguments, message, monkeypatch):
    for name in ("WAREHOUSE", "CITIZEN"):
        monkeypatch.setenv(f"SYNC_{name}__HOST", "nowhere.invalid")
        monkeypatch.setenv(f"SYNC_{name}__DBNAME", "none")
    monkeypatch.setenv("SYNC_KAFKA__BOOTSTRAP_SERVERS", "nowhere.invalid:1")
    monkeypatch.setenv("SYNC_PAYLOAD_KEYS", "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE=")
    result = CliRunner().invoke(app, ["reconcile", "run", *arguments], terminal_width=200)
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


@pytest.fixture
def document():
    rows = [ShownRow("k1", "", "different", ("city",), "left", "a fact stays")]
    progress = Progress(finished=True, expected=1234, standing=1234, different=1, left=1, rows=rows,
                        violations=[Violation("city is filled", 7, ("k2",))])  # fmt: skip
    return report([Record("R", GOLDEN_RECORDS.name, repairs=False, bounds=EVERYTHING, state=State.DONE, progress=progress)])


def printed(*parts):
    out = Console(file=io.StringIO(), width=300, no_color=True)
    for part in parts:
        out.print(part)
    return out.file.getvalue()


def test_a_run_is_shown_with_its_counts_its_rows_and_what_is_wrong(document):
    text = printed(*flows_tables(document))
    for part in ("Run R, a dry run", "differs", "1,234", "k1", "city", "left: a fact stays"):
        assert part in text
    assert '7 rows break the rule "city is filled", such as k2' in text
    assert "different 1, left 1" in printed(runs_table([document]))


def test_there_is_a_bar_on_a_terminal_and_nothing_elsewhere(document):
    record = Record(
        "R", GOLDEN_RECORDS.name, repairs=False, bounds=EVERYTHING, state=State.DONE, progress=Progress(finished=True, expected=9)
    )
    for terminal in (True, False):
        out = Console(file=io.StringIO(), force_terminal=terminal, width=120)
        with RunProgress(out) as progress:
            progress.begin(GOLDEN_RECORDS, 5)
            progress.step(record)
        assert ("golden_records" in out.file.getvalue(), "9/9" in out.file.getvalue()) == (terminal, terminal)
