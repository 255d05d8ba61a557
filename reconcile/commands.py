"""Records that tell a source row anew, as it stands at a fence or that it is gone. They go the way of events.

They travel on the flow's command topic, with the key and the partition of the row's events, to the lane that owns these. There
the fence is their version: what is newer stays, what is older gives way, and what was not there is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flows.append_model import AppendFlow
from flows.model import CapturedFlow
from flows.row_model import MirrorFlow
from reconcile.broker import Command
from reconcile.judging import Difference, What
from schemas.debezium import row_decoder
from schemas.message_key import message_key, partition_of
from schemas.problems import BadRecord
from sinks.source_rows import SourceRow

#: The part of Debezium's envelope that says where in the log, and when.
Position = Mapping[str, int]


@dataclass
class Told:
    """``commands`` to send; ``bad``: primary keys of source rows that nobody can apply, with the reason."""

    commands: list[Command] = field(default_factory=list)
    bad: dict[str, str] = field(default_factory=dict)


class Teller:
    """Makes commands of one flow."""

    def __init__(self, flow: CapturedFlow) -> None:
        self._flow = flow
        self._decode = row_decoder(flow)
        # Facts are told as found: a state must have one, whichever. Everything else is told as changed.
        self._operation = "r" if isinstance(flow, AppendFlow) else "u"

    def tell(
        self,
        lsn: int,
        rows: Mapping[str, SourceRow],
        gone: Mapping[str, str],
        differences: Mapping[str, Sequence[Difference]],
    ) -> Told:
        """``rows`` by primary key, those that are ``gone`` with their message key; ``differences`` by primary key where known.

        Rows that changed after the fence are left to their events.
        """
        told, source = Told(), {"lsn": lsn, "ts_us": time.time_ns() // 1000}
        for pk, row in rows.items():
            if problem := self._problem(row):
                told.bad[pk] = problem
            elif not row.late:
                told.commands.append(self._stands(source, row, differences.get(pk, ())))
        told.commands += [self._gone(source, pk, home) for pk, home in gone.items()]
        return told

    def _problem(self, row: SourceRow) -> str | None:
        try:
            self._decode(row.content)
        except BadRecord as problem:
            return f"the row in the source is bad: {problem.reason}, {problem.detail}"
        return None

    def _stands(self, source: Position, row: SourceRow, differences: Iterable[Difference]) -> Command:
        after = json.loads(row.content)
        before, home = self._before(after, differences), str(after[self._flow.source.message_key])
        event = {"op": self._operation, "source": source, "before": before, "after": msgspec.Raw(row.content)}
        return self._command(home, event)

    def _gone(self, source: Position, pk: str, home: str) -> Command:
        names = {self._flow.source.primary_key: pk, self._flow.source.message_key: home}
        before = {name: _plain(self._flow, name, text) for name, text in names.items()}
        return self._command(home, {"op": "d", "source": source, "before": before, "after": None})

    def _before(self, after: Mapping[str, Any], differences: Iterable[Difference]) -> dict[str, Any] | None:
        """What stood of the watched columns, where that is what the source has: people are told what they were not told."""
        if not isinstance(self._flow, MirrorFlow) or self._flow.notice is None:
            return None
        watched = {column.name for column in self._flow.target.columns if column.source in self._flow.notice.watched}
        if any(each.what is not What.DIFFERENT or watched & {*each.columns} for each in differences):
            return None
        return {name: after[name] for name in (self._flow.source.primary_key, *self._flow.notice.watched)}

    def _command(self, home: str, event: Mapping[str, Any]) -> Command:
        key = message_key(self._flow, home)
        return Command(self._flow.command_topic, partition_of(key, self._flow.partitions), key, msgspec.json.encode(event))


def _plain(flow: CapturedFlow, name: str, text: str) -> Any:
    """As JSON has it."""
    return int(text) if flow.source.column(name).sql_type.base in ("smallint", "integer", "bigint") else text
