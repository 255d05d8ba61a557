"""`sync connect`: topics and connectors."""

from typing import Annotated

import typer
from rich.console import RenderableType

from cli.connect_rest import ConnectorStatus
from cli.connector_keeper import keep_connectors
from cli.connectors import apply_connectors, connector_statuses, restart_connectors
from cli.errors import PROBLEM
from cli.options import Json
from cli.output import show, table
from settings import load_settings
from stack.stop_signal import stop_requested

commands = typer.Typer(help="Topics and connectors of Kafka Connect.", no_args_is_help=True)

Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait until the connectors run.")]


@commands.command()
def apply(*, timeout: Timeout = 60.0, as_json: Json = False) -> None:
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
def restart(*, timeout: Timeout = 60.0, as_json: Json = False) -> None:
    """Restart connectors and tasks that have failed, and wait until they run."""
    statuses = restart_connectors(load_settings(), timeout)
    _answer({"connectors": statuses}, statuses, as_json=as_json)


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
    show(document, connectors_table(statuses), as_json=as_json)
    raise typer.Exit(0 if all(each.running for each in statuses) else PROBLEM)
