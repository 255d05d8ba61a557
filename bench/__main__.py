"""``python -m bench``: all benchmarks on one fresh stack, or one of them.

Exit codes: 0 measured (missed goals are in the table), 1 something died, stalled or was wrong, 2 wrong arguments.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bench.benchmarks import BENCHMARKS, Benchmarks, Sizes
from bench.errors import BenchError
from bench.interruption import ended_in_order
from bench.report import report
from bench.stage import open_stage
from cli.errors import EXPLAINED, PROBLEM, exit_code, message
from stack.folder import DEFAULT_STATE
from stack.jars import DEFAULT_JARS

DEFAULTS = Sizes()

app = typer.Typer(help="The product beside its peers, on a fresh local stack.", pretty_exceptions_enable=False)

Events = Annotated[int, typer.Option(min=1, help="Events of the backlog.")]
FamiliesOption = Annotated[int, typer.Option("--families", min=10_000, help="Families that the backlog is drawn from.")]
Rounds = Annotated[int, typer.Option(min=1, help="Rounds of the drain; the median counts.")]
MemoryFamilies = Annotated[int, typer.Option(min=1, help="Families of the memory benchmark.")]
MirrorRows = Annotated[int, typer.Option(min=1000, help="Documents of the mirror benchmark, and about as many golden records.")]
BatchRows = Annotated[int, typer.Option(min=1000, help="People whose rows the batch jobs carry.")]
BatchEvents = Annotated[int, typer.Option(min=1000, help="Events that a batch job counts.")]
ComparedRows = Annotated[int, typer.Option(min=1000, help="Rows that the reconciliation compares.")]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON document instead of a table.")]
State = Annotated[Path, typer.Option(help="Folder of the stack; emptied before and removed after.")]
JarsFolder = Annotated[Path, typer.Option("--jars", help="Cache of the Java parts.")]
Names = Annotated[list[str] | None, typer.Argument(help=f"{', '.join(BENCHMARKS)}; all if none is named.")]


@app.command()
def run(  # noqa: PLR0913 one parameter per option
    names: Names = None,
    *,
    events: Events = DEFAULTS.events,
    families: FamiliesOption = DEFAULTS.families,
    rounds: Rounds = DEFAULTS.rounds,
    memory_families: MemoryFamilies = DEFAULTS.memory_families,
    mirror_rows: MirrorRows = DEFAULTS.mirror_rows,
    batch_rows: BatchRows = DEFAULTS.batch_rows,
    batch_events: BatchEvents = DEFAULTS.batch_events,
    compared_rows: ComparedRows = DEFAULTS.compared_rows,
    as_json: Json = False,
    state: State = DEFAULT_STATE / "bench",
    jars: JarsFolder = DEFAULT_JARS,
) -> None:
    """Measure; progress goes to standard error, the table or the document to standard output."""
    unknown = sorted(set(names or ()) - BENCHMARKS.keys())
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: there are {', '.join(BENCHMARKS)}")
    try:
        sizes = Sizes(events, families, rounds, memory_families, mirror_rows, batch_rows, batch_events, compared_rows)
        _run(names or BENCHMARKS, sizes, state, jars, as_json=as_json)
    except BenchError as error:
        _say(f"error: {error}")
        raise typer.Exit(PROBLEM) from None
    except EXPLAINED as error:
        _say(f"error: {message(error)}")
        raise typer.Exit(exit_code(error)) from None


def _run(names: Iterable[str], sizes: Sizes, state: Path, jars: Path, *, as_json: bool) -> None:
    with ended_in_order(), open_stage(state, jars, _say) as stage:
        benchmarks = Benchmarks(stage, sizes, jars)
        figures = [figure for name in BENCHMARKS if name in names for figure in BENCHMARKS[name](benchmarks)]
    report(figures, benchmarks.details, as_json=as_json)


def _say(text: str) -> None:
    typer.echo(text, err=True)


if __name__ == "__main__":
    app()
