"""Things that operators name by number. Numbers are unique in one database only."""

from collections.abc import Sequence

from settings import PROGRAM
from sinks.operations.audit import RefusedError


def exactly(wanted: Sequence[int], found: Sequence[int], what: str, listing: str) -> None:
    """Raise :class:`RefusedError` for a wanted number that is unknown or stands for two; ``listing``: what shows them all."""
    if missing := sorted(set(wanted) - set(found)):
        raise RefusedError(f"no {what} {', '.join(map(str, missing))}; `{PROGRAM} {listing}` shows what there is")
    if twice := sorted({number for number in found if found.count(number) > 1}):
        raise RefusedError(f"both databases have a {what} {', '.join(map(str, twice))}: name the flow with --flow")
