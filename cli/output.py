"""What commands print: a JSON document for programs, tables for people. NO_COLOR is respected."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson
import typer
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text


def print_json(document: Any) -> None:
    """Print dataclasses, times (ISO 8601), enums and plain values as one JSON document."""
    typer.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode())


def show(document: Any, *tables: RenderableType, as_json: bool) -> None:
    """Print the document for programs or the tables for people."""
    if as_json:
        print_json(document)
        return
    out = console()
    for each in tables:
        out.print(each)


def console(*, stderr: bool = False) -> Console:
    """Open a console on the present standard output or error. Where nobody sees its width, lines are not broken."""
    opened = Console(stderr=stderr, highlight=False, markup=False)
    if not opened.is_terminal:
        opened.width = 1000
    return opened


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> RenderableType:
    """Build a table; numbers stand to the right, ``None`` is a dash. Without rows the title says so."""
    filled = [[_cell(value) for value in row] for row in rows]
    if not filled:
        return Text(f"{title}: none")
    built = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        numeric = all(cell.justify == "right" for row in filled for cell in row[place : place + 1])
        built.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in filled:
        built.add_row(*row)
    return built


def problem_lines(problems: Iterable[str]) -> list[RenderableType]:
    """Build one line for each problem; they stand last, where they are read."""
    return [Text(f"problem: {problem}", style="red") for problem in problems]


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Text(f"{value:,}", justify="right")
    return Text("-" if value is None else str(value))
