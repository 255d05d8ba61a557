"""Which cluster a source is. A restored or replaced source has other numbers, and its LSNs may be lower than those we know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from settings import PROGRAM
from sinks.pool import Session

FIRST_EPOCH: Final = 1

#: Asks a source for its identity, in the order of :class:`Identity`; any role may.
IDENTITY_QUERY: Final = "SELECT system_identifier, timeline_id AS timeline FROM pg_control_system(), pg_control_checkpoint()"


@dataclass(frozen=True)
class Identity:
    """What tells one cluster from another; ``timeline`` grows with every promotion or point-in-time recovery."""

    system_identifier: int
    timeline: int

    def __str__(self) -> str:
        return f"system {self.system_identifier}, timeline {self.timeline}"


class SourceReplaced(Exception):
    """The source is not the cluster whose LSNs we know."""


async def identify(session: Session) -> Identity:
    """Ask the source itself."""
    row = await session.row(IDENTITY_QUERY)
    assert row is not None, "a function in FROM answers one row"
    return Identity(*row)


async def epoch_of(session: Session, source: str, found: Identity | None) -> int:
    """The epoch that the target knows for the source; the first look records it.

    ``found`` is ``None`` when the source does not answer: the known epoch then stands. Raises :class:`SourceReplaced`.
    """
    if found is not None:
        await session.run(
            "INSERT INTO sync.source (name, system_identifier, timeline) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING",
            (source, found.system_identifier, found.timeline),
        )
    row = await session.row("SELECT epoch, system_identifier, timeline FROM sync.source WHERE name = %s", (source,))
    if row is None:
        return FIRST_EPOCH
    known = Identity(row[1], row[2])
    if found is not None and known != found:
        raise SourceReplaced(
            f"source-replaced: {source} was {known} and is now {found}; check, then `{PROGRAM} source-epoch {source} --set-new`"
        )
    return int(row[0])
