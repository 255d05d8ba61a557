"""`dead-letters`: what could not be applied, shown masked, sent again or given up."""

from typing import Annotated

import typer

from cli.databases import databases
from cli.letter_lookup import find_letters, flow_of, letters_named, session_of
from cli.letter_view import content_of, letters_table, print_letter
from cli.options import Json, MaybeFlow, actor
from cli.output import show
from cli.resend import send_again
from settings import load_settings
from sinks.operations import letters
from sinks.operations.letters import Selection
from sinks.payload_cipher import PayloadCipher

commands = typer.Typer(help="Records that could not be applied.", no_args_is_help=True)

Id = Annotated[int, typer.Argument(metavar="ID", help="Number of the dead letter.")]
Ids = Annotated[list[int], typer.Argument(metavar="ID", help="Numbers of dead letters, as `list` shows them.")]
MaybeIds = Annotated[list[int] | None, typer.Argument(metavar="ID", help="Numbers of dead letters.")]
Status = Annotated[str, typer.Option("--status", help="open, replayed, closed, discarded or all.")]
OnlyReason = Annotated[str | None, typer.Option("--reason", help="Only those with this reason, such as out_of_range.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="At most so many, oldest first.")]
WhyDiscard = Annotated[str, typer.Option("--reason", help="Why they are given up; kept with the letter.")]


@commands.command("list")
def list_letters(
    *,
    flow: MaybeFlow = None,
    status: Status = "open",
    reason: OnlyReason = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """List dead letters, oldest first; never their content."""
    wanted = None if status == "all" else status
    with databases(load_settings()) as sessions:
        found = find_letters(sessions, flow, Selection(status=wanted, reason=reason, limit=limit))
    show(found, letters_table(found), as_json=as_json)


@commands.command("show")
def show_letter(letter_id: Id, *, flow: MaybeFlow = None, as_json: Json = False) -> None:
    """Show where a dead letter came from, why, and the structure of its content with every value masked."""
    settings = load_settings()
    with databases(settings) as sessions:
        (letter,) = letters_named(sessions, flow, [letter_id])
        payload = letters.payload(session_of(sessions, letter), letter.id)
    content = content_of(payload, flow_of(letter), PayloadCipher(settings.payload_keys))
    print_letter(letter, content, as_json=as_json)


@commands.command()
def replay(letter_ids: MaybeIds = None, *, flow: MaybeFlow = None, reason: OnlyReason = None, as_json: Json = False) -> None:
    """Send dead letters through their flow again with their original bytes: those named, or all open ones of a flow."""
    if not letter_ids and flow is None:
        raise typer.BadParameter("name dead letters by their numbers, or a flow with --flow")
    settings = load_settings()
    with databases(settings) as sessions:
        if letter_ids:
            found = letters_named(sessions, flow, letter_ids)
        else:
            found = find_letters(sessions, flow, Selection(status="open", reason=reason, limit=None))
        for letter in found:
            send_again(session_of(sessions, letter), letter, settings, actor())
    show({"replayed": [letter.id for letter in found]}, f"sent again: {len(found):,}", as_json=as_json)


@commands.command()
def discard(letter_ids: Ids, *, reason: WhyDiscard, flow: MaybeFlow = None, as_json: Json = False) -> None:
    """Give dead letters up; they are kept with the reason."""
    if not reason.strip():
        raise typer.BadParameter("say why the records are given up", param_hint="--reason")
    with databases(load_settings()) as sessions:
        found = letters_named(sessions, flow, letter_ids)
        for letter in found:
            letters.discard(session_of(sessions, letter), letter, actor(), reason)
    show({"discarded": [letter.id for letter in found]}, f"discarded: {len(found):,}", as_json=as_json)
