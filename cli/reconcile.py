"""`reconcile`: compare targets with their sources, make good what differs, and show what earlier runs found."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from batch_timers.jobs import WEEKLY
from cli.errors import PROBLEM
from cli.options import Json, Reason
from cli.output import console, show
from cli.reconcile_runs import Order, find_runs, run_named, run_or_resume
from cli.reconcile_view import RunProgress, flows_tables, runs_table
from flows.batch_registry import BATCH_FLOWS
from flows.model import Flow
from flows.registry import FLOWS, flow_named
from reconcile.report import Verdict, report
from settings import PROGRAM, load_settings
from views.reconciliation import reconciliation_page

commands = typer.Typer(help="Compare targets with their sources and make good what differs.", no_args_is_help=True)

Flows = Annotated[list[str] | None, typer.Argument(metavar="[FLOW]...", help="Names of flows; without any, all.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Find and report; repair nothing.")]
Light = Annotated[
    bool,
    typer.Option("--light", help="Count all rows; of the content compare only ranges that have changed since the last good run."),
]
KeyFrom = Annotated[str | None, typer.Option("--key-from", help="Only keys from this one on; of one flow.")]
KeyTo = Annotated[str | None, typer.Option("--key-to", help="Only keys below this one; of one flow.")]
Patience = Annotated[float, typer.Option(min=0, help="Seconds to wait for rows that are in flight.")]
Resume = Annotated[str | None, typer.Option("--resume", metavar="RUN", help="Go on with a run that ended early.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many runs, newest first.")]
Run = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run, as `list` shows it.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page; `-`: to standard output.")]


@commands.command()
def run(  # noqa: PLR0913 each is an option of the command
    flows: Flows = None,
    *,
    dry_run: DryRun = False,
    light: Light = False,
    key_from: KeyFrom = None,
    key_to: KeyTo = None,
    patience: Patience = 60.0,
    resume: Resume = None,
    reason: Reason = None,  # noqa: ARG001 the audit keeps it (cli/audited.py)
    as_json: Json = False,
) -> None:
    """Compare, repair, look again. Exit code 1 when something differs still or could not be decided."""
    if (key_from or key_to) and len(flows or ()) != 1:
        raise typer.BadParameter("a range of keys is of one flow: name it", param_hint="--key-from")
    keys = {"key_from": key_from, "key_to": key_to}
    order = Order(_flows(flows), repairs=not dry_run, **keys, patience=patience, resume=resume, light=light)
    with RunProgress(console(stderr=True)) as progress:
        records = asyncio.run(run_or_resume(load_settings(), order, progress))
    document = report(records)
    show(document, *flows_tables(document), as_json=as_json)
    raise typer.Exit(0 if Verdict(document["verdict"]).good else PROBLEM)


@commands.command("list")
def list_runs(*, limit: Limit = 20, as_json: Json = False) -> None:
    """List runs, newest first."""
    documents = [report(records) for records in asyncio.run(find_runs(load_settings(), limit))]
    shown = [{name: value for name, value in each.items() if name != "flows"} for each in documents] if as_json else documents
    show(shown, runs_table(documents), as_json=as_json)


@commands.command("show")
def show_run(run: Run, *, html: Html = None, as_json: Json = False) -> None:
    """Show what a run found, in each flow."""
    document = report(asyncio.run(run_named(load_settings(), run)))
    if html is None:
        show(document, *flows_tables(document), as_json=as_json)
    elif str(html) == "-":
        typer.echo(reconciliation_page(document))
    else:
        html.write_text(reconciliation_page(document), encoding="utf-8")
        show({"written": str(html)}, f"written: {html}", as_json=as_json)


def _flows(names: list[str] | None) -> tuple[Flow, ...]:
    """In the order of the registry: what others refer to comes first."""
    if batch := [flow.name for flow in BATCH_FLOWS if flow.name in (names or ())]:
        by_job = f"`{PROGRAM} jobs run {WEEKLY}:{batch[0]}` does it"
        raise typer.BadParameter(f"{batch[0]} is carried by its job alone, which reconciles it, too: {by_job}")
    try:
        wanted = {flow_named(name) for name in names or ()}
    except KeyError as error:
        raise typer.BadParameter(error.args[0]) from None
    return tuple(flow for flow in FLOWS if flow in wanted or not wanted)
