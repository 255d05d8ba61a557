"""Options and arguments that several commands share."""

import os
import pwd
from typing import Annotated

import typer

from flows.model import Flow
from flows.registry import FLOWS, flow_named


def _flow(name: str) -> Flow:
    try:
        return flow_named(name)
    except KeyError as error:
        raise typer.BadParameter(error.args[0]) from None


def _flow_names(incomplete: str) -> list[str]:
    return [flow.name for flow in FLOWS if flow.name.startswith(incomplete)]


Json = Annotated[bool, typer.Option("--json", help="Print a JSON document instead of tables.")]
FlowName = Annotated[Flow, typer.Argument(parser=_flow, metavar="FLOW", autocompletion=_flow_names, help="Name of the flow.")]
MaybeFlow = Annotated[
    Flow | None,
    typer.Option("--flow", parser=_flow, metavar="FLOW", autocompletion=_flow_names, help="Only this flow."),
]
Reason = Annotated[str | None, typer.Option("--reason", help="Why; kept in the audit.")]


def actor() -> str:
    """Return who acts, for the audit: the user of the operating system, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
