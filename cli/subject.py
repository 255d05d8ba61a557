"""`subject purge`: erase one person from every store of ours."""

import asyncio
from typing import Annotated
from uuid import UUID

import typer

from cli.databases import Databases, databases
from cli.erasure import Order, Outcome, Tools, look, purge, topics_of_people
from cli.errors import PROBLEM
from cli.options import Json, actor
from cli.output import problem_lines, show, table
from cli.pools import open_pools
from cli.reconcile_broker import kafka_log
from cli.topic_retention import TopicRetention, topic_retentions
from flows.batch_registry import ALL_FLOWS
from flows.identity import Identity
from settings import Settings, load_settings
from sinks.erasure.person import Person, RowKey
from sinks.erasure.search import Survey
from sinks.payload_cipher import PayloadCipher
from views.formatting import both_zones

commands = typer.Typer(help="Erase what is held of a person.", no_args_is_help=True)


def _id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise typer.BadParameter("an id is a UUID; numbers of people have no place in a command line") from None


def _row(text: str) -> RowKey:
    flow, _, key = text.partition("=")
    if not key or flow not in [each.name for each in ALL_FLOWS]:
        raise typer.BadParameter("say FLOW=KEY, such as profile_summary=17")
    return flow, key


Ids = list[str]
Citizens = Annotated[Ids | None, typer.Option("--citizen", parser=_id, metavar="ID", help="Id of the portal's citizen.")]
GoldenRecords = Annotated[Ids | None, typer.Option("--golden-record", parser=_id, metavar="ID", help="gr_id of the warehouse.")]
Members = Annotated[Ids | None, typer.Option("--member", parser=_id, metavar="ID", help="Id as a member of a family.")]
Families = Annotated[Ids | None, typer.Option("--family", parser=_id, metavar="ID", help="A family, with all of its members.")]
Applications = Annotated[Ids | None, typer.Option("--application", parser=_id, metavar="ID", help="Id of an application.")]
Rows = Annotated[
    list[str] | None,
    typer.Option("--row", metavar="FLOW=KEY", help="Primary key of a source row that the ids do not lead to any more."),
]
Why = Annotated[str, typer.Option("--reason", help="Why, such as the number of the request; kept in the audit: no names.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Count what is held; change nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Also while the platform has rows of the person.")]
Timeout = Annotated[float, typer.Option(min=0, help="Seconds to wait for each flow to apply what its source has committed.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@commands.callback()
def _group() -> None:
    """Erase what is held of a person."""


@commands.command("purge")
def purge_subject(  # noqa: PLR0913 each is an option of the command
    *,
    citizen: Citizens = None,
    golden_record: GoldenRecords = None,
    member: Members = None,
    family: Families = None,
    application: Applications = None,
    row: Rows = None,
    reason: Why,
    dry_run: DryRun = False,
    force: Force = False,
    timeout: Timeout = 60.0,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase a person, while workers run; may be repeated until nothing is left, and has to be while the exit code is 1.

    The platform deletes its own rows first. Kafka's topics are not touched: the answer says until when they hold the person.
    """
    given = dict(zip(Identity, (citizen, golden_record, member, family, application), strict=True))
    person = Person.known_by(((kind, each) for kind, ids in given.items() for each in ids or ()), map(_row, row or ()))
    if not person.ids:
        raise typer.BadParameter("say who, by at least one id", param_hint="--citizen")
    if not reason.strip():
        raise typer.BadParameter("say why", param_hint="--reason")
    settings = load_settings()
    with databases(settings) as sessions:
        if dry_run:
            _, found = look(sessions, person, PayloadCipher(settings.payload_keys))
            outcome = Outcome(found)
        else:
            if not yes:
                typer.confirm("Erase this person from every store, for good?", abort=True, err=True)
            outcome = asyncio.run(_purge(settings, sessions, person, Order(actor(), reason, force), timeout))
    topics = topics_of_people(settings.worker.application_id)
    _answer(outcome, asyncio.run(topic_retentions(settings.kafka, topics)), as_json=as_json)


async def _purge(settings: Settings, sessions: Databases, person: Person, order: Order, timeout: float) -> Outcome:
    async with open_pools(settings) as pools, kafka_log(settings.kafka) as log:
        return await purge(Tools(sessions, pools, log, PayloadCipher(settings.payload_keys), timeout), person, order)


def _answer(outcome: Outcome, topics: list[TopicRetention], *, as_json: bool) -> None:
    document = {"erasure": outcome.erasure, "problems": outcome.problems, "topics": topics, **vars(outcome.survey)}
    kept = [(each.topic, both_zones(each.until) or "for good") for each in topics]
    tables = (
        table("Held of the person", ("database", "table", "rows", "leaves by"), _rows(outcome.survey)),
        table("Kafka forgets by itself", ("topic", "holds what it has now until, at the latest"), kept),
    )
    show(document, *tables, *problem_lines(outcome.problems), as_json=as_json)
    raise typer.Exit(PROBLEM if outcome.problems else 0)


def _rows(found: Survey) -> list[tuple[str, str, int, str]]:
    return [(each.database, each.table, each.rows, each.remedy.value) for each in found.holdings if each.rows]
