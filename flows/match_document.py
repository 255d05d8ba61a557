"""What `docs/flows.md` says of match flows and of links to golden records."""

from __future__ import annotations

from collections.abc import Iterator

from flows.definition import PersonLink
from flows.match_model import Lookup, MatchFlow


def match_lines(flow: MatchFlow) -> Iterator[str]:
    """How records are found, written and left, one line each."""
    match, time, signature = flow.match, flow.time, flow.signature
    yield (
        f"A row that counts brings the record whose `{match.name}` is its `{match.source}` up to date, column by column; a null"
        f" never erases. Where there is no such record it is made with a new `{flow.identity}`, and put in the review queue. A"
        f" row that counts and has no `{match.source}` becomes a dead letter."
    )
    yield (
        f"While `{signature.column}` is `{signature.writer}` and `{time}` is what was written last, the version decides, of each"
        f" column. Against a record that somebody else wrote the strictly later `{time}` does."
    )
    yield from (_lookup(lookup) for lookup in flow.lookups)
    yield (
        f"When `{match.source}` of a row changes, its old record stays as it is and is put in the review queue. A row that is"
        " deleted or does not count any more leaves the record as it is."
    )


def _lookup(lookup: Lookup) -> str:
    return (
        f"`{lookup.column}` is the `{lookup.value}` of the row of `{lookup.table.qualified}` whose `{lookup.name}` is"
        f" `{lookup.source}`; letter case and spaces do not count. A name that is not known, or fits several rows, leaves the"
        " value as it is and is put in the review queue."
    )


def link_line(link: PersonLink) -> str:
    """How the link is filled."""
    return (
        f"`{link.column}` is the golden record of the citizen in `{link.citizen}`. It is filled as soon as the citizen is matched"
        " to one, also afterwards, and never holds a row back."
    )
