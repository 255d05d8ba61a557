"""From a source row to its entry: the flow's mapping, filter and ranking, compiled once per flow."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from flows.model import Flow
from tables.entry import MICROSECOND, REMEMBERED, Version, live

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED_NUMBERS: Final = 2**15

Builder = Callable[[Any, Version, int], bytes]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC; ``moment`` is aware."""
    return (moment - _EPOCH) // MICROSECOND


def shown_columns(flow: Flow) -> list[str]:
    """Target columns that an entry holds: all but the group, which is its key, and the rank, which is computed."""
    return [column.name for column in flow.target.columns if column.source != flow.ranking.group]


def entry_builder(flow: Flow) -> Builder:
    """A function of (row, version, source time in microseconds) for rows with the source columns as attributes.

    Numbers are text, checked before; everything else is as the decoder gives it.
    """
    ranking = flow.ranking
    item, subject, time = (attrgetter(name) for name in (ranking.item, ranking.subject, ranking.time))
    score, status = attrgetter(ranking.score), attrgetter(flow.filter.column)
    counting = frozenset(flow.filter.values)
    horizon, remembered = ranking.horizon // MICROSECOND, REMEMBERED // MICROSECOND
    scaled, shown = _scaled_score(flow), _shown(flow)

    def build(row: Any, version: Version, source_time: int) -> bytes:
        moment = microseconds(time(row))
        return live(
            version,
            counts=status(row) in counting,
            score=scaled(score(row)),
            time=moment,
            expires_at=moment + horizon,
            forget_at=max(moment + horizon, source_time + remembered),
            item=item(row),
            subject=subject(row) or "",
            shown=shown(row),
        )

    return build


def _scaled_score(flow: Flow) -> Callable[[str | None], int]:
    """The unrounded score as an integer: the column's scale loses nothing."""
    scale = 10 ** flow.source.column(flow.ranking.score).sql_type.sizes[1]
    default = flow.ranking.score_default
    return lru_cache(_REMEMBERED_NUMBERS)(lambda text: int((default if text is None else Decimal(text)) * scale))


def _shown(flow: Flow) -> Callable[[Any], bytes]:
    names = shown_columns(flow)
    columns = [(attrgetter(flow.target.column(name).source), _mapping(flow, name)) for name in names]
    encode = msgspec.json.Encoder().encode
    fields = msgspec.defstruct("Shown", names, gc=False)

    def shown(row: Any) -> bytes:
        return encode(fields(*[value(read(row)) for read, value in columns]))[1:-1]

    return shown


def _mapping(flow: Flow, name: str) -> Callable[[Any], Any]:
    """The column's transforms; of numbers, which repeat, the results are remembered."""
    column = flow.target.column(name)
    if flow.source.column(column.source).sql_type.base != "numeric":
        return column.value if column.transforms else _unchanged
    return lru_cache(_REMEMBERED_NUMBERS)(lambda text: column.value(None if text is None else Decimal(text)))


def _unchanged(value: Any) -> Any:
    return value


def carried(shown: bytes, standing: bytes, kept: tuple[str, ...]) -> bytes:
    """``shown`` with the columns ``kept`` as they stand in another entry's."""
    columns = msgspec.json.decode(b"{" + shown + b"}", type=dict[str, msgspec.Raw])
    before = msgspec.json.decode(b"{" + standing + b"}", type=dict[str, msgspec.Raw])
    return msgspec.json.encode(columns | {name: before[name] for name in kept})[1:-1]
