"""The command line: wrong names are refused before anything is started."""

from typer.testing import CliRunner

from bench.__main__ import app
from bench.benchmarks import BENCHMARKS
from bench.figures import Figure
from bench.report import report


def test_an_unknown_benchmark_is_named_with_those_that_exist():
    result = CliRunner().invoke(app, ["drain", "drian"])
    assert result.exit_code == 2
    assert "drian" in result.output
    assert all(name in result.output for name in BENCHMARKS)


def test_the_document_holds_figures_notes_and_what_they_were_computed_from(capsys):
    report([Figure("drain", "events/s", 2.0, "plain loop", 4.0)], {"backlog": {"records": 7}}, as_json=True)
    printed = capsys.readouterr().out
    assert '"ratio": 0.5' in printed
    assert '"records": 7' in printed


def test_the_table_has_a_row_per_figure(capsys):
    report([Figure("drain", "events/s", 2.0, "plain loop", 4.0)], {}, as_json=False)
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("drain"))
    assert row.split()[:3] == ["drain", "2", "events/s"]
    assert "0.50x" in row
