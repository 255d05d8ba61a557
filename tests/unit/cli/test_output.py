import json
from datetime import UTC, datetime

from cli.output import console, show, table


def test_a_table_holds_every_cell_whole(capsys):
    show(None, table("Title", ("name", "count"), [("x" * 300, 1234567), (None, 1)]), as_json=False)
    shown = capsys.readouterr().out
    assert "x" * 300 in shown
    assert "1,234,567" in shown


def test_an_empty_table_says_that_there_is_none(capsys):
    show(None, table("Dead letters", ("id",), []), as_json=False)
    assert capsys.readouterr().out == "Dead letters: none\n"


def test_text_that_looks_like_markup_is_printed_as_it_is(capsys):
    show(None, table("T", ("reason",), [("[red]not markup[/red]",)]), "[bold]neither[/bold]", as_json=False)
    shown = capsys.readouterr().out
    assert "[red]not markup[/red]" in shown
    assert "[bold]neither[/bold]" in shown


def test_a_document_is_json_with_times_in_utc(capsys):
    show({"at": datetime(2025, 1, 15, 10, 0, tzinfo=UTC)}, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"at": "2025-01-15T10:00:00+00:00"}


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert console().color_system is not None
    monkeypatch.setenv("NO_COLOR", "1")
    assert console().no_color
