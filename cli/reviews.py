"""`review`: what flows could not decide and a person should look at."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from cli.databases import Databases, databases
from cli.numbered import exactly
from cli.options import Json, MaybeFlow, actor
from cli.output import show, table
from flows.model import Flow
from flows.registry import FLOWS
from settings import load_settings
from sinks.operations import reviews
from sinks.operations.connection import Connection
from sinks.operations.reviews import Review, Selection
from views.formatting import both_zones

commands = typer.Typer(help="What a person should look at.", no_args_is_help=True)


class Status(StrEnum):
    """Which reviews are listed."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


Ids = Annotated[list[int], typer.Argument(metavar="ID", help="Numbers of reviews, as `list` shows them.")]
OnlyStatus = Annotated[Status, typer.Option("--status", help="Which to list.")]
OnlyKind = Annotated[str | None, typer.Option("--kind", help="Only those of this kind, such as new_record.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, oldest first.")]
Why = Annotated[str, typer.Option("--reason", help="What was found or done; kept in the audit.")]

_CLOSED = {Status.OPEN: False, Status.CLOSED: True, Status.ALL: None}


@commands.callback()
def _group() -> None:
    """What a person should look at."""


@commands.command("list")
def list_reviews(
    *, flow: MaybeFlow = None, status: OnlyStatus = Status.OPEN, kind: OnlyKind = None, limit: Limit = 100, as_json: Json = False
) -> None:
    """List what waits for a person, oldest first: keys and reasons, nothing of what citizens say of themselves."""
    with databases(load_settings()) as sessions:
        found = [review for _, review in _find(sessions, flow, Selection(kind=kind, closed=_CLOSED[status], limit=limit))][:limit]
    columns = ("id", "flow", "kind", "citizen", "golden record", "since", "closed", "reason")
    rows = [
        (str(each.id), each.flow, each.kind, each.citizen_id, each.gr_id, both_zones(each.created_at), _closed(each), each.reason)
        for each in found
    ]
    show(found, table("Reviews", columns, rows), as_json=as_json)


@commands.command()
def close(review_ids: Ids, *, reason: Why, flow: MaybeFlow = None, as_json: Json = False) -> None:
    """Close reviews; who did it and why stands in the audit."""
    if not reason.strip():
        raise typer.BadParameter("say what was found or done", param_hint="--reason")
    with databases(load_settings()) as sessions:
        found = _find(sessions, flow, Selection(ids=review_ids))
        exactly(review_ids, [review.id for _, review in found], "review", "review list --status all")
        for session, review in found:
            reviews.close(session, review, actor(), reason)
    show({"closed": [review.id for _, review in found]}, f"closed: {len(found):,}", as_json=as_json)


def _find(sessions: Databases, flow: Flow | None, selection: Selection) -> list[tuple[Connection, Review]]:
    """Each with the session that it was found in, oldest first."""
    flows = FLOWS if flow is None else (flow,)
    targets = dict.fromkeys(each.target.table.database for each in flows)
    chosen = replace(selection, flow=flow.name if flow else None)
    found = ((sessions[target], review) for target in targets for review in reviews.find(sessions[target], chosen))
    return sorted(found, key=lambda pair: pair[1].created_at)


def _closed(review: Review) -> str | None:
    return None if review.resolved_at is None else both_zones(review.resolved_at)
