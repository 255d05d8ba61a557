"""``python -m demo``: the platform's tables, their history, the continuing changes, and what its services post.

Exit codes: 0 done or stopped, 1 the database or the intake refused, 2 wrong arguments or configuration.
"""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event
from typing import TYPE_CHECKING, Annotated

import httpx
import psycopg
import typer

from demo.callbacks.bodies import Bodies
from demo.callbacks.poster import SECONDS as POST_SECONDS
from demo.callbacks.poster import Poster, Refused
from demo.callbacks.senders import intake
from demo.console import per_second, progress_bar, stamp, summary
from demo.databases import DatabaseName, apply_schema, connect
from demo.evaluations import TABLE as EVALUATIONS
from demo.generate import load_history
from demo.history import Past, Sizes, histories_of, load_tables
from demo.pace import Pace
from demo.population import Population
from demo.relay import Plan, run
from demo.sources import SOURCES, Source, by_table, source_of
from settings import ConfigurationError, load_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

app = typer.Typer(
    context_settings={"auto_envvar_prefix": "DEMO"},
    help="The platform's side of the demonstration.",
    pretty_exceptions_enable=False,
)

Families = Annotated[int, typer.Option(min=1, help="Families, four people each on average.")]
PopulationSeed = Annotated[int, typer.Option(help="Seed of the families; the same for load and trickle.")]
Snapshots = Annotated[int, typer.Option(min=0, help="Evaluations to load.")]
Applications = Annotated[int, typer.Option(min=0, help="Applications of the portal; decisions follow from them.")]
Documents = Annotated[int, typer.Option(min=0, help="Documents, most of them handed in with an application.")]
UserEvents = Annotated[int, typer.Option(min=0, help="What users did in the portal.")]
Feedback = Annotated[int, typer.Option(min=0, help="What users said.")]
Append = Annotated[bool, typer.Option("--append", help="Only load more evaluations, although there are some already.")]
Rate = Annotated[float, typer.Option(min=0, help="Changes per second, both databases together; 0: as fast as possible.")]
Seed = Annotated[int, typer.Option(help="Seed of the changes.")]
Changes = Annotated[int | None, typer.Option(min=1, help="Stop after so many changes; otherwise on SIGTERM.")]
Burst = Annotated[int | None, typer.Option(min=1, help="Changes per transaction; derived from the rate if not given.")]
PostRate = Annotated[float, typer.Option(min=0, help="Messages per second; 0: as fast as possible.")]
PostSeed = Annotated[int, typer.Option(help="Seed of the messages.")]
Messages = Annotated[int | None, typer.Option("--messages", min=1, help="Stop after so many; otherwise on SIGTERM.")]
Tables = Annotated[list[str] | None, typer.Option("--table", help="Change this table only, schema.name; may be repeated.")]


@app.command()
def schema() -> None:
    """Create what is missing of the demo tables in both databases."""
    with _explained():
        for name in DatabaseName:
            with connect(load_settings(), name) as conn:
                apply_schema(conn, name)
            typer.echo(f"{name}: demo tables are there")


@app.command()
def load(  # noqa: PLR0913 every option is a parameter
    *,
    families: Families = 2000,
    snapshots: Snapshots = Sizes.evaluations,
    applications: Applications = Sizes.applications,
    documents: Documents = Sizes.documents,
    user_events: UserEvents = Sizes.user_events,
    feedback: Feedback = Sizes.feedback,
    population_seed: PopulationSeed = 1,
    append: Append = False,
) -> None:
    """Load the history of the last weeks into both databases; leaves tables that have rows alone."""
    sizes = Sizes(snapshots, applications, documents, user_events, feedback)
    past = Past(Population(population_seed, families), sizes, datetime.now(UTC))
    with _explained():
        if append:
            _load_evaluations(past)
        else:
            for name in DatabaseName:
                _load(name, past)


@app.command()
def trickle(  # noqa: PLR0913 every option is a parameter
    *,
    rate: Rate = 5.0,
    seed: Seed = 1,
    changes: Changes = None,
    burst: Burst = None,
    table: Tables = None,
    families: Families = 2000,
    population_seed: PopulationSeed = 1,
) -> None:
    """Keep changing the source tables of both databases, each transaction committed, until SIGTERM or Ctrl-C."""
    plan = Plan(Population(population_seed, families), seed, _sources(table), rate, burst, changes)
    stop = _stopped_by_signals()
    with _explained():
        settings = load_settings()
        _say(f"trickle of {rate:g} changes/s, seed {seed}")
        began = time.monotonic()
        done = run(plan, settings, _say, stop)
        found = summary(done if len(plan.sources) == 1 else by_table(done))
        _say(f"changes: {per_second(done.total(), time.monotonic() - began)}: {found}")


@app.command()
def post(
    *,
    rate: PostRate = 1.0,
    seed: PostSeed = 1,
    messages: Messages = None,
    families: Families = 2000,
    population_seed: PopulationSeed = 1,
) -> None:
    """Keep posting signed forecasts and alerts to the intake, as the platform's services do, until SIGTERM or Ctrl-C."""
    stop = _stopped_by_signals()
    with _explained():
        address, keys = intake()
        _say(f"posts {rate:g} messages/s to {address}, seed {seed}")
        bodies = Bodies(Population(population_seed, families), seed, _now)
        with httpx.Client(base_url=address, timeout=POST_SECONDS) as client:
            pace = Pace(rate, time.monotonic, stop.wait)
            done = Poster(client, keys, _now, _say, stop).run(bodies.next, pace, messages)
        _say(f"accepted: {summary(done)}")


def _stopped_by_signals() -> Event:
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _now() -> datetime:
    return datetime.now(UTC)


def _load(name: DatabaseName, past: Past) -> None:
    began = time.monotonic()
    with connect(load_settings(), name) as conn, progress_bar(f"{name}: rows", None) as progress:
        added = load_tables(conn, histories_of(name), past, progress)
    loaded = {table: rows for table, rows in added.items() if rows}
    _report(name, loaded, began)
    if left := [table for table in added if table not in loaded]:
        typer.echo(f"{name}: left alone, having rows or nothing to load: {', '.join(left)}")


def _load_evaluations(past: Past) -> None:
    began = time.monotonic()
    count = past.sizes.evaluations
    with connect(load_settings(), DatabaseName.WAREHOUSE) as conn, progress_bar(EVALUATIONS, count) as progress:
        added = load_history(conn, past.population, count, past.now, progress)
    _report(DatabaseName.WAREHOUSE, added, began)


def _report(name: DatabaseName, added: dict[str, int], began: float) -> None:
    if added:
        typer.echo(f"{name}: {', '.join(f'{table} +{rows:,}' for table, rows in added.items())}")
        typer.echo(f"{name}: rows {per_second(sum(added.values()), time.monotonic() - began)}")


def _sources(tables: Collection[str] | None) -> tuple[Source, ...]:
    try:
        return tuple(source_of(table) for table in tables) if tables else SOURCES
    except KeyError as error:
        raise typer.BadParameter(error.args[0], param_hint="--table") from None


def _say(line: str) -> None:
    typer.echo(f"{stamp(datetime.now(UTC))} {line}")


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what an operator can mend into one message and an exit code."""
    try:
        yield
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    except Refused as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        typer.echo(f"{error.diag.message_primary}; create the demo tables first: python -m demo schema", err=True)
        raise typer.Exit(1) from None
    except psycopg.Error as error:
        typer.echo(f"the database refused: {error}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
