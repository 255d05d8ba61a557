"""Notices: what people are told about changes of a row, once each, in the transaction that writes the row."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from operator import attrgetter
from string import Formatter
from typing import Any, Final

import msgspec

from flows.moments import moment_of
from flows.row_model import Notice, RowFlow
from sinks.json_text import json_text
from sinks.pool import Session

#: Names the ids: the same change has the same id wherever and whenever it is seen, so that a replay writes no second notice.
NAMESPACE: Final = uuid.UUID("5d1a2f8e-6f0b-5c7e-9a43-2b1d7c90e6f4")

#: From (old row or None, new row, time of the change in microseconds) to a notice as a JSON object.
NoticeMaker = Callable[[Any, Any, int], bytes | None]


def notice_maker(flow: RowFlow, notice: Notice) -> NoticeMaker:
    """Rows have the flow's source columns as attributes; ``None`` comes out where nothing that is watched has changed."""
    watched = [attrgetter(name) for name in notice.watched]
    identity = [attrgetter(name) for name in notice.identity]
    names = (*notice.metadata, *notice.reference, *_named_in(notice.message))
    shown = {name: attrgetter(flow.target.column(name).source) for name in names}

    def make(before: Any, after: Any, time: int) -> bytes | None:
        if before is not None and all(value(before) == value(after) for value in watched):
            return None
        values = {name: flow.target.column(name).value(value(after)) for name, value in shown.items()}
        texts = {name: "-" if value is None else value for name, value in values.items()}
        return msgspec.json.encode(
            {
                "id": notice_id(*(value(after) for value in identity)),
                "message": notice.message.format_map(texts),
                "metadata": {name: values[name] for name in notice.metadata},
                "created_at": moment_of(time),
                **{name: values[name] for name in notice.reference},
            }
        )

    return make


def _named_in(message: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(message) if name]


def notice_id(*values: Any) -> str:
    """UUIDv5 over the values; times in UTC to the microsecond, however the source spells them."""
    canonical = [
        value.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(value, datetime) else value for value in values
    ]
    return str(uuid.uuid5(NAMESPACE, json_text(canonical)))


def notice_statement(flow: RowFlow, notice: Notice) -> str:
    """One statement for all notices of a chunk: ``notices`` is a JSON array, ``type`` their type. Of one id the first stands."""
    references = {name: flow.target.column(name).sql_type for name in notice.reference}
    record = ", ".join(f"{name} {kind}" for name, kind in references.items())
    columns = ", ".join(["id", "message", "metadata", "created_at", *references])
    return f"""
        INSERT INTO {notice.table.qualified} (type, {columns})
        SELECT %(type)s, {columns}
        FROM ROWS FROM (json_to_recordset(%(notices)s::json)
                        AS (id uuid, message text, metadata jsonb, created_at timestamptz, {record})) WITH ORDINALITY
        ORDER BY id, ordinality ON CONFLICT (id) DO NOTHING
        """


class NoticeWriter:
    """Writes the notices of one flow."""

    def __init__(self, flow: RowFlow, notice: Notice) -> None:
        self._type = notice.type
        self._statement = notice_statement(flow, notice)

    async def write(self, session: Session, notices: list[bytes]) -> None:
        """Write those that were not written before."""
        if notices:
            await session.run(self._statement, {"type": self._type, "notices": (b"[%b]" % b",".join(notices)).decode()})
