"""`source-epoch`: after a source was restored or replaced, accept the cluster that it is now."""

from dataclasses import dataclass
from typing import Annotated

import typer

from cli.databases import Databases, databases
from cli.errors import PROBLEM
from cli.options import Json, actor
from cli.output import show, table
from flows.registry import flows_from
from flows.tables import Database
from settings import load_settings
from sinks.operations.sources import KnownSource, begin_epoch, known_source, present_identity
from sinks.source_identity import Identity

Source = Annotated[Database, typer.Argument(help="The source database.")]
SetNew = Annotated[bool, typer.Option("--set-new", help="Begin a new epoch with the cluster that the source is now.")]


@dataclass(frozen=True)
class _Epoch:
    target: str
    known: KnownSource | None
    present: Identity
    same: bool


def source_epoch(source: Source, *, set_new: SetNew = False, as_json: Json = False) -> None:
    """Show which cluster a source is and which one its targets know. Exit code 1 when they differ."""
    with databases(load_settings()) as sessions:
        present = present_identity(sessions[source])
        if set_new:
            for target in _targets(source):
                begin_epoch(sessions[target], source, present, actor())
        epochs = [_epoch(sessions, source, target, present) for target in _targets(source)]
    rows = [
        (each.target, *((each.known.epoch, each.known.identity) if each.known else (None, None)), each.present) for each in epochs
    ]
    show(epochs, table(f"Source {source.value}", ("target", "epoch", "known as", "is now"), rows), as_json=as_json)
    raise typer.Exit(0 if all(each.same for each in epochs) else PROBLEM)


def _targets(source: Database) -> list[Database]:
    targets = dict.fromkeys(flow.target.table.database for flow in flows_from(source))
    if not targets:
        raise typer.BadParameter(f"no flow reads from {source.value}")
    return list(targets)


def _epoch(sessions: Databases, source: Database, target: Database, present: Identity) -> _Epoch:
    known = known_source(sessions[target], source)
    return _Epoch(target.value, known, present, known is None or known.identity == present)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(source_epoch)
