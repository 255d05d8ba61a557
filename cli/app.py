"""All commands in one program."""

from typing import Any

import typer
from typer.core import TyperGroup

from cli import (
    audit,
    backfill,
    callbacks,
    connect,
    dead_letters,
    flow_commands,
    jobs,
    keygen,
    maintenance,
    migrate,
    parked,
    reconcile,
    reviews,
    schema,
    source_epoch,
    status,
    subject,
    token,
    up,
    watch,
)
from cli.audited import wrapped
from cli.errors import EXPLAINED, exit_code, message
from cli.kafka_client_log import remember_instead_of_printing


class _ExplainingGroup(TyperGroup):
    """Keeps what changes something in the audit, and turns every expected error into one message and an exit code."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        wrapped(self.commands)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except EXPLAINED as error:
            typer.echo(f"error: {message(error)}", err=True)
            raise typer.Exit(exit_code(error)) from None


app = typer.Typer(
    cls=_ExplainingGroup,
    help="Synchronise smart_warehouse and smart_citizen.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it would print local variables, hence rows and passwords
)


@app.callback()
def _quiet() -> None:
    """Synchronise smart_warehouse and smart_citizen."""
    remember_instead_of_printing()


for module in (up, watch, migrate, status, schema, flow_commands, backfill, source_epoch, keygen):
    module.register(app)
app.add_typer(connect.commands, name="connect")
app.add_typer(callbacks.commands, name="callbacks")
app.add_typer(dead_letters.commands, name="dead-letters")
app.add_typer(parked.commands, name="parked")
app.add_typer(reviews.commands, name="review")
app.add_typer(reconcile.commands, name="reconcile")
app.add_typer(jobs.commands, name="jobs")
app.add_typer(maintenance.commands, name="maintenance")
app.add_typer(audit.commands, name="audit")
app.add_typer(subject.commands, name="subject")
app.add_typer(token.commands, name="token")
