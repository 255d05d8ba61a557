"""What the commands print."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

    from demo.changes import ChangeKind

IST = timezone(timedelta(hours=5, minutes=30), "IST")


def stamp(moment: datetime) -> str:
    """Show a moment in both zones: ``2025-01-01 00:00:00 UTC (05:30:00 IST)``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S UTC} ({moment.astimezone(IST):%H:%M:%S IST})"


def per_second(count: int, seconds: float) -> str:
    """Show an amount and its rate: ``1,200 in 4.0 s (300/s)``."""
    return f"{count:,} in {seconds:.1f} s ({count / max(seconds, 0.001):,.0f}/s)"


def summary(done: Counter[ChangeKind]) -> str:
    """List every kind with its count, the most frequent first."""
    return ", ".join(f"{kind} {count:,}" for kind, count in done.most_common()) or "nothing changed"


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield a function that takes the number done so far; draws on a terminal only."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda done: progress.update(task, completed=done)
