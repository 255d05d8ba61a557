"""`token`: tokens with which operators sign in to the web view."""

from typing import Annotated

import typer

from cli.options import Json
from cli.output import show
from settings import load_settings
from views.formatting import NOTHING
from views.operators import Role, Roster, new_token

commands = typer.Typer(help="Tokens of operators for the web view.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is; the audit names them so.")]
OfRole = Annotated[Role, typer.Option("--role", help="An admin may also do what cannot be undone.")]


@commands.callback()
def _group() -> None:
    """Tokens of operators for the web view."""


@commands.command()
def new(name: Name, *, role: OfRole = Role.OPERATOR, as_json: Json = False) -> None:
    """Make a token and the line to configure. The token is shown once, and kept nowhere."""
    try:
        token, operator = new_token(name, role)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    where = "a line of the file SYNC_WEB__OPERATORS_FILE, or a part of SYNC_WEB__OPERATORS"
    text = f"token, for {name} alone:  {token}\n{where}:\n{operator.line}"
    show({"token": token, "line": operator.line}, text, as_json=as_json)


@commands.command("list")
def list_operators(*, as_json: Json = False) -> None:
    """List who may sign in, as configured here; a token's fingerprint is the beginning of its hash."""
    web = load_settings().web
    found = Roster(web.operators.get_secret_value(), web.operators_file).operators()
    document = [{"name": each.name, "role": each.role, "fingerprint": each.fingerprint} for each in found]
    lines = [f"{each.name} {each.role} {each.fingerprint}" for each in found]
    show(document, "\n".join(lines) or NOTHING, as_json=as_json)
