"""`watch`: the running system, live on a terminal, otherwise as a line now and then."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from threading import Event
from time import monotonic
from typing import Final

import orjson
import typer
from rich.live import Live

from cli.options import Json
from cli.output import console
from cli.sample import Sample, rates, take_sample
from cli.watch_view import lines, picture
from settings import Settings, load_settings
from stack.instance import InstanceStatus
from stack.stop_signal import stop_requested

LIVE_SECONDS: Final = 1.0  # workers report once a second
LINE_SECONDS: Final = 5.0

Processes = Callable[[], Sequence[InstanceStatus]]
Print = Callable[[Sample | None, Sample], None]


def watch(*, as_json: Json = False) -> None:
    """Show events, rows written, lag, commit → visible and workers, until Ctrl-C."""
    settings = load_settings()
    with stop_requested() as stop:
        follow(settings, stop, as_json=as_json)


def follow(
    settings: Settings,
    stop: Event,
    *,
    as_json: bool = False,
    seconds: float | None = None,
    processes: Processes = list,
) -> None:
    """Look and print until ``stop`` is set or ``seconds`` have passed."""
    with ExitStack() as closing:
        pause, put = _printer(processes, closing, as_json=as_json)
        end = None if seconds is None else monotonic() + seconds
        earlier: Sample | None = None
        while not stop.is_set():
            sample = take_sample(settings)
            put(earlier, sample)
            earlier = sample
            left = pause if end is None else min(pause, end - monotonic())
            if left <= 0:
                return
            stop.wait(left)


def _printer(processes: Processes, closing: ExitStack, *, as_json: bool) -> tuple[float, Print]:
    """Choose how often to look and how to print."""
    if as_json:
        return LINE_SECONDS, _print_json
    out = console()
    if not out.is_terminal:
        return LINE_SECONDS, _print_lines
    live = closing.enter_context(Live(console=out, auto_refresh=False))

    def redraw(earlier: Sample | None, sample: Sample) -> None:
        live.update(picture(sample, rates(earlier, sample), processes()), refresh=True)

    return LIVE_SECONDS, redraw


def _print_json(_: Sample | None, sample: Sample) -> None:
    typer.echo(orjson.dumps(sample).decode())


def _print_lines(earlier: Sample | None, sample: Sample) -> None:
    for line in lines(sample, rates(earlier, sample)):
        typer.echo(line)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(watch)
