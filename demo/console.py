"""What the commands print."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from enum import StrEnum

IST = timezone(timedelta(hours=5, minutes=30), "IST")


def stamp(moment: datetime) -> str:
    """Show a moment in both zones: ``2025-01-01 00:00:00 UTC (05:30:00 IST)``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC} ({moment.astimezone(IST):%H:%M:%S IST})"


def per_second(count: int, seconds: float) -> str:
    """Show an amount and its rate: ``1,200 in 4.0 s (300/s)``."""
    return f"{count:,} in {seconds:.1f} s ({count / max(seconds, 0.001):,.0f}/s)"


def summary(done: Mapping[StrEnum, int] | Mapping[str, int]) -> str:
    """List every kind, or table, with its count, the most frequent first."""
    most_first = sorted(done.items(), key=lambda entry: entry[1], reverse=True)
    return ", ".join(f"{name} {count:,}" for name, count in most_first) or "nothing changed"


@contextmanager
def progress_bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number done so far, of ``total`` if that is known; draws on a terminal only."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
