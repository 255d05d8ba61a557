"""`callbacks`: for the developers of the services that post forecasts and alerts."""

import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from callbacks.settings import Callbacks, SenderSettings, new_signing_key
from callbacks.signing import sign
from cli.errors import PROBLEM
from cli.options import Json
from cli.output import show, table
from flows.callback_model import Callback
from flows.callback_registry import CALLBACKS, callback_named
from settings import load
from sinks.operations.audit import RefusedError

SECONDS = 30.0
STANDARD_INPUT = "-"

commands = typer.Typer(help="Post signed callbacks, as the services do.", no_args_is_help=True)


def _callback(route: str) -> Callback:
    try:
        return callback_named(route)
    except KeyError as error:
        raise typer.BadParameter(error.args[0]) from None


def _routes(incomplete: str) -> list[str]:
    return [each.route for each in CALLBACKS if each.route.startswith(incomplete)]


Route = Annotated[
    Callback, typer.Option("--route", parser=_callback, metavar="ROUTE", autocompletion=_routes, help="forecasts or alerts.")
]
Body = Annotated[Path, typer.Option("--file", help="The body, JSON; - is standard input.")]
MaybeSender = Annotated[str | None, typer.Option("--sender", help="Who sends; may be left out where only one may.")]
MaybeId = Annotated[str | None, typer.Option("--id", help="The webhook-id, to send a message again; otherwise a new one.")]
MaybeUrl = Annotated[str | None, typer.Option("--url", help="Address of the intake; otherwise that of the settings.")]


@commands.command()
def send(
    *,
    route: Route,
    file: Body,
    sender: MaybeSender = None,
    webhook_id: MaybeId = None,
    url: MaybeUrl = None,
    as_json: Json = False,
) -> None:
    """Sign a body with the newest key of a sender in SYNC_CALLBACKS__SENDERS, and post it. Exit code 1 unless it is accepted."""
    settings = load(SenderSettings).callbacks
    name, body = sender or _only_sender(settings, route), _text(file)
    key = _key_of(settings, name)
    webhook_id = webhook_id or f"msg_{uuid.uuid4().hex}"
    headers = sign(body, sender=name, key=key, webhook_id=webhook_id, now=datetime.now(UTC))
    answer = _post((url or f"http://{settings.host}:{settings.port}") + route.path, body, headers)
    _tell(webhook_id, name, answer, as_json=as_json)
    raise typer.Exit(0 if answer.is_success else PROBLEM)


@commands.command()
def keygen() -> None:
    """Print a new signing key for SYNC_CALLBACKS__SENDERS. Put it first there; take the old one out when nobody signs with it."""
    typer.echo(new_signing_key())


def _text(file: Path) -> str:
    try:
        content = sys.stdin.buffer.read() if str(file) == STANDARD_INPUT else file.read_bytes()
        return content.decode()
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="--file") from None
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{file} is not UTF-8", param_hint="--file") from None


def _only_sender(settings: Callbacks, route: Callback) -> str:
    names = sorted(name for name, sender in settings.senders.items() if route.route in sender.routes)
    if len(names) != 1:
        known = ", ".join(names) or "nobody"
        raise RefusedError(f"say with --sender who sends: {known} may post {route.route} by SYNC_CALLBACKS__SENDERS")
    return names[0]


def _key_of(settings: Callbacks, name: str) -> str:
    if name not in settings.senders:
        known = ", ".join(sorted(settings.senders)) or "nobody"
        raise RefusedError(f"SYNC_CALLBACKS__SENDERS has no sender {name}; it has {known}")
    return settings.senders[name].keys[0].get_secret_value()


def _post(url: str, body: str, headers: dict[str, str]) -> httpx.Response:
    try:
        return httpx.post(url, content=body.encode(), headers=headers, timeout=SECONDS)
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise RefusedError(f"nobody answers at {url}: {type(error).__name__}; is the intake running?") from None


def _tell(webhook_id: str, sender: str, answer: httpx.Response, *, as_json: bool) -> None:
    document = _document(answer)
    facts = [("webhook id", webhook_id), ("sender", sender), ("status", str(answer.status_code)), *_lines(document)]
    found = {"webhook_id": webhook_id, "sender": sender, "status": answer.status_code, "answer": document}
    show(found, table("Answer", ("", ""), facts), as_json=as_json)


def _document(answer: httpx.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        return {"detail": "the answer is not the intake's: something else listens there"}
    return found if isinstance(found, dict) else {}


def _lines(document: dict[str, Any]) -> Iterator[tuple[str, object]]:
    yield from ((name, value) for name, value in document.items() if name not in ("status", "errors"))
    yield from ((error["pointer"], error["detail"]) for error in document.get("errors", []))
