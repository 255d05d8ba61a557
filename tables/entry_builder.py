"""From a source row to its entry: the flow's mapping, filter and ranking, compiled once per flow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from operator import attrgetter
from typing import Any

import msgspec

from flows.model import RankedFlow
from flows.moments import MICROSECOND, microseconds
from flows.numbers import NumberCache
from tables.entry import REMEMBERED, Version, live

Builder = Callable[[Any, Version, int], bytes]


def shown_columns(flow: RankedFlow) -> list[str]:
    """Target columns that an entry holds: all but the group, which is its key, and the rank, which is computed."""
    return [column.name for column in flow.target.columns if column.source != flow.ranking.group]


def entry_builder(flow: RankedFlow, shown: Callable[[Any], bytes]) -> Builder:
    """A function of (row, version, source time in microseconds) for rows with the source columns as attributes.

    ``shown`` renders the columns :func:`shown_columns` of a row as the inside of a JSON object. Numbers are text, checked before;
    everything else is as the decoder gives it.
    """
    ranking = flow.ranking
    read = attrgetter(ranking.item, ranking.subject, ranking.time, ranking.score, flow.filter.column)
    counting = frozenset(flow.filter.values)
    horizon, remembered = ranking.horizon // MICROSECOND, REMEMBERED // MICROSECOND
    scaled = _scaled_score(flow)

    def build(row: Any, version: Version, source_time: int) -> bytes:
        item, subject, time, score, status = read(row)
        moment = microseconds(time)
        return live(
            version,
            counts=status in counting,
            score=scaled[score],
            time=moment,
            expires_at=moment + horizon,
            forget_at=max(moment + horizon, source_time + remembered),
            item=item,
            subject=subject or "",
            shown=shown(row),
        )

    return build


def _scaled_score(flow: RankedFlow) -> Mapping[str | None, int]:
    """The unrounded score as an integer: the column's scale loses nothing."""
    scale = 10 ** flow.source.column(flow.ranking.score).sql_type.sizes[1]
    default = flow.ranking.score_default
    return NumberCache(lambda text: int((default if text is None else Decimal(text)) * scale))


def carried(shown: bytes, standing: bytes, kept: tuple[str, ...]) -> bytes:
    """``shown`` with the columns ``kept`` as they stand in another entry's."""
    columns = msgspec.json.decode(b"{" + shown + b"}", type=dict[str, msgspec.Raw])
    before = msgspec.json.decode(b"{" + standing + b"}", type=dict[str, msgspec.Raw])
    return msgspec.json.encode(columns | {name: before[name] for name in kept})[1:-1]
