"""``python -m demo``: the platform's tables, their history and the continuing changes.

Exit codes: 0 done or stopped, 1 the database refused, 2 wrong arguments or configuration.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated

import psycopg
import typer

from demo.console import per_second, progress_bar, stamp, summary
from demo.databases import Connection, DatabaseName, apply_schema, connect
from demo.evaluations import TABLE as SNAPSHOTS
from demo.generate import Population, load_history
from demo.runner import Runner, burst_for
from demo.trickle import Trickle
from settings import ConfigurationError, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

app = typer.Typer(
    context_settings={"auto_envvar_prefix": "DEMO"},
    help="The platform's side of the demonstration.",
    pretty_exceptions_enable=False,
)

Families = Annotated[int, typer.Option(min=1, help="Families that evaluations are drawn for.")]
PopulationSeed = Annotated[int, typer.Option(help="Seed of the families; the same for load and trickle.")]
Snapshots = Annotated[int, typer.Option(min=0, help="Evaluations to load.")]
Append = Annotated[bool, typer.Option("--append", help="Load although there are evaluations already.")]
Rate = Annotated[float, typer.Option(min=0, help="Changes per second; 0: as fast as possible.")]
Seed = Annotated[int, typer.Option(help="Seed of the changes.")]
Changes = Annotated[int | None, typer.Option(min=1, help="Stop after so many changes; otherwise on SIGTERM.")]
Burst = Annotated[int | None, typer.Option(min=1, help="Changes per transaction; derived from the rate if not given.")]


@app.command()
def schema() -> None:
    """Create what is missing of the demo tables in both databases."""
    with _explained():
        for name in DatabaseName:
            with connect(load_settings(), name) as conn:
                apply_schema(conn, name)
            typer.echo(f"{name}: demo tables are there")


@app.command()
def load(
    *,
    families: Families = 2000,
    snapshots: Snapshots = 20_000,
    population_seed: PopulationSeed = 1,
    append: Append = False,
) -> None:
    """Load schemes and the evaluations of the last 40 days; leaves a table that has some alone unless --append."""
    now = datetime.now(UTC)
    with _explained(), connect(load_settings(), DatabaseName.WAREHOUSE) as conn:
        if not append and _has_rows(conn):
            typer.echo(f"{SNAPSHOTS} has evaluations already; nothing loaded (--append loads more)")
            return
        typer.echo(f"loading {snapshots:,} evaluations of {families:,} families up to {stamp(now)}")
        began = time.monotonic()
        with progress_bar("evaluations", snapshots) as progress:
            added = load_history(conn, Population(population_seed, families), snapshots, now, progress)
        took = time.monotonic() - began
        typer.echo(", ".join(f"{table} +{rows:,}" for table, rows in added.items()))
        typer.echo(f"rows: {per_second(sum(added.values()), took)}")


@app.command()
def trickle(
    *,
    rate: Rate = 5.0,
    seed: Seed = 1,
    changes: Changes = None,
    burst: Burst = None,
    families: Families = 2000,
    population_seed: PopulationSeed = 1,
) -> None:
    """Keep changing the evaluations, each transaction committed, until SIGTERM or Ctrl-C."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _explained():
        open_connection = partial(connect, load_settings(), DatabaseName.WAREHOUSE)
        runner = Runner(Trickle(Population(population_seed, families), seed), open_connection, _say, stop)
        _say(f"trickle of {rate:g} changes/s, seed {seed}")
        began = time.monotonic()
        done = runner.run(rate, burst or burst_for(rate), changes)
        _say(f"changes: {per_second(done.total(), time.monotonic() - began)}: {summary(done)}")


def _say(line: str) -> None:
    typer.echo(f"{stamp(datetime.now(UTC))} {line}")


def _has_rows(conn: Connection) -> bool:
    row = conn.execute("SELECT EXISTS (SELECT FROM eligibility.eligibility_snapshots)").fetchone()
    return bool(row and row[0])


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what an operator can mend into one message and an exit code."""
    try:
        yield
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        typer.echo(f"{error.diag.message_primary}; create the demo tables first: python -m demo schema", err=True)
        raise typer.Exit(1) from None
    except psycopg.Error as error:
        typer.echo(f"the database refused: {error}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
