"""`up`: the whole system on this machine, with demo data, until Ctrl-C."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from cli.connector_keeper import kept_connectors
from cli.connector_problems import connector_problems
from cli.connectors import apply_connectors
from cli.databases import databases
from cli.errors import PROBLEM
from cli.migrate import migrate_databases
from cli.watch import follow
from flows.registry import FLOWS
from settings import Settings, load_settings
from sinks.operations.activity import has_rows
from sinks.operations.audit import RefusedError
from stack.folder import DEFAULT_STATE, PROJECT_ROOT
from stack.local import LocalStack
from stack.stop_signal import stop_requested
from stack.supervisor import Supervisor

CONNECTOR_SECONDS = 60.0

Workers = Annotated[int, typer.Option("--workers", min=1, help="Worker processes.")]
Rate = Annotated[float, typer.Option("--rate", min=0, help="Changes per second that the demo makes; 0: as many as it can.")]
Families = Annotated[int, typer.Option("--families", min=1, help="Families of the demo.")]
State = Annotated[Path, typer.Option("--state", help="Folder for everything that is kept.")]
Duration = Annotated[
    float | None, typer.Option("--duration", min=1, help="Stop after so many seconds; exit code 1 if no row arrived.")
]


def up(
    *,
    workers: Workers = 2,
    rate: Rate = 5.0,
    families: Families = 2000,
    state: State = DEFAULT_STATE,
    duration: Duration = None,
) -> None:
    """Start databases, Kafka, Connect, workers and the demo load, show what happens, and stop it all on Ctrl-C."""
    with stop_requested() as stop, ExitStack() as closing:
        stack = LocalStack(state)
        closing.callback(stack.stop)
        stack.start(_say)
        # The addresses of this stack go before what the shell has set: no demo data in somebody's real database.
        os.environ.update(stack.env)
        settings = load_settings()
        for step in _steps(settings, families):
            if not stop.is_set():
                step()
        demo = {"DEMO_TRICKLE_RATE": str(rate), "DEMO_TRICKLE_FAMILIES": str(families), "DEMO_POST_FAMILIES": str(families)}
        supervisor = Supervisor(f"worker={workers},callbacks=1,demo=1,posts=1", state, stack.env | demo, say=_say)
        closing.callback(supervisor.stop)
        if not stop.is_set():
            supervisor.start()
            closing.enter_context(kept_connectors(settings, _say))
            follow(settings, stop, seconds=duration, processes=lambda: supervisor.status)
        arrived = duration is None or _rows_arrived(settings)
        _say("stopping")
    raise typer.Exit(0 if arrived else PROBLEM)


def _steps(settings: Settings, families: int) -> tuple[Callable[[], None], ...]:
    """Everything that must be done before workers can start; each step leaves alone what is there already."""
    return (
        partial(_demo, "schema"),
        partial(_migrations, settings),
        partial(_demo, "load", "--families", str(families)),
        partial(_connectors, settings),
    )


def _migrations(settings: Settings) -> None:
    for database, done in migrate_databases(settings).items():
        _say(f"{database.value}: migrations {', '.join(map(str, done)) or 'up to date'}")


def _connectors(settings: Settings) -> None:
    _, statuses = apply_connectors(settings, CONNECTOR_SECONDS)
    if problems := connector_problems(statuses):
        raise RefusedError("; ".join(problems))
    for each in statuses:
        _say(f"connector {each.name} runs")


def _demo(*arguments: str) -> None:
    """Run a command of the demo, which belongs to the platform and not to the product, in a process of its own."""
    command = [sys.executable, "-m", "demo", *arguments]
    # In a session of its own: Ctrl-C is for us, we stop when the step is done.
    done = subprocess.run(command, cwd=PROJECT_ROOT, check=False, start_new_session=True)
    if done.returncode != 0:
        raise RefusedError(f"`python -m demo {' '.join(arguments)}` ended with code {done.returncode}")


def _rows_arrived(settings: Settings) -> bool:
    with databases(settings) as sessions:
        return any(has_rows(sessions[flow.target.table.database], flow.target.table) for flow in FLOWS)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")  # through what the live view has put there, so that the line stands above it


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(up)
