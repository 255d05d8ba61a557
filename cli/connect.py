"""`connect`: topics and connectors."""

from typing import Annotated

import typer
from rich.console import RenderableType

from cli.connect_rest import ConnectorStatus, connect_rest
from cli.connector_keeper import keep_connectors
from cli.connector_problems import connector_problems
from cli.connector_reset import Order, reset_connector
from cli.connectors import apply_connectors, connector_statuses, restart_connectors, source_of
from cli.databases import databases
from cli.errors import PROBLEM
from cli.options import Json, Reason, actor
from cli.output import problem_lines, show, table
from flows.tables import Database
from settings import load_settings
from stack.stop_signal import stop_requested

commands = typer.Typer(help="Topics and connectors of Kafka Connect.", no_args_is_help=True)


def _source(name: str) -> Database:
    try:
        return source_of(name)
    except KeyError as error:
        raise typer.BadParameter(error.args[0]) from None


Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait until the connectors run.")]
Source = Annotated[Database, typer.Argument(parser=_source, metavar="NAME", help="Name of the connector.")]
Why = Annotated[str, typer.Option("--reason", help="Why; kept in the audit.")]
Force = Annotated[bool, typer.Option("--force", help="Also when the replication slot is not lost.")]


@commands.command()
def apply(*, timeout: Timeout = 60.0, reason: Reason = None, as_json: Json = False) -> None:  # noqa: ARG001 the audit keeps it (cli/audited.py)
    """Create missing topics, create or change connectors, and wait until they run. May be repeated."""
    created, statuses = apply_connectors(load_settings(), timeout)
    if not as_json:
        typer.echo(f"topics created: {', '.join(created) or 'none'}")
    _answer({"topics_created": created, "connectors": statuses}, statuses, as_json=as_json)


@commands.command()
def status(*, as_json: Json = False) -> None:
    """Show connectors and their tasks. Exit code 1 when one does not run."""
    statuses = connector_statuses(load_settings())
    _answer({"connectors": statuses}, statuses, as_json=as_json)


@commands.command()
def restart(*, timeout: Timeout = 60.0, reason: Reason = None, as_json: Json = False) -> None:  # noqa: ARG001 the audit keeps it (cli/audited.py)
    """Restart connectors and tasks that have failed, and wait until they run."""
    statuses = restart_connectors(load_settings(), timeout)
    _answer({"connectors": statuses}, statuses, as_json=as_json)


@commands.command()
def reset(source: Source, *, reason: Why, force: Force = False, timeout: Timeout = 60.0, as_json: Json = False) -> None:
    """Begin a connector anew whose replication slot is lost, and have every flow of its source rebuilt."""
    settings = load_settings()
    with databases(settings) as sessions, connect_rest(settings.connect) as rest:
        done = reset_connector(rest, sessions, source, Order(actor(), reason, force, timeout))
    rebuilds = [(each.flow, each.state, each.resync) for each in done.rebuilds]
    rebuilt = table("Flows", ("flow", "state", "rebuilds asked for"), rebuilds)
    show(done, connectors_table([done.connector]), rebuilt, as_json=as_json)


@commands.command()
def keep() -> None:
    """Restart connectors and tasks whenever they fail, until Ctrl-C or SIGTERM: a service beside Kafka Connect."""
    settings = load_settings()
    with stop_requested() as stop:
        keep_connectors(settings, stop, typer.echo)


def connectors_table(statuses: list[ConnectorStatus]) -> RenderableType:
    """Build a table with one row for each connector and each of its tasks."""
    rows: list[tuple[object, ...]] = []
    for each in statuses:
        rows.append((each.name, None, each.state, each.worker, each.trace))
        rows += [(each.name, task.id, task.state, task.worker, task.trace) for task in each.tasks]
    return table("Connectors", ("connector", "task", "state", "worker", "what went wrong"), rows)


def _answer(document: dict[str, object], statuses: list[ConnectorStatus], *, as_json: bool) -> None:
    problems = connector_problems(statuses)
    show({**document, "problems": problems}, connectors_table(statuses), *problem_lines(problems), as_json=as_json)
    raise typer.Exit(PROBLEM if problems else 0)
