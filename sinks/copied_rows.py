"""Pages of rows as the source maps them: lines of a COPY, in blocks that nobody takes apart on the way.

Of a line only its beginning is looked at: what the row is, and of a bad one the key.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final

from flows.model import CapturedFlow
from sinks.copying import CopySession
from sinks.mapped_rows import BAD, LATER, copy_statement
from sinks.source_rows import Chosen, FencedRead, KeyRange

#: A page ends early when its lines come to so much: rows may be large.
PAGE_BYTES: Final = 8 * 2**20
_BLOCK_BYTES: Final = 2**16
_BAD, _LATER = ord(BAD), ord(LATER)


@dataclass
class Copied:
    """All rows of ``bounds`` that were chosen. ``bad``: keys of those that break the definition; ``late``: how many are late."""

    bounds: KeyRange
    blocks: list[bytes] = field(default_factory=list)
    rows: int = 0
    late: int = 0
    bad: list[str] = field(default_factory=list)
    size: int = 0
    _lines: list[memoryview] = field(default_factory=list)
    _waiting: int = 0

    @property
    def timely(self) -> int:
        """Rows to be compared."""
        return self.rows - self.late - len(self.bad)

    def add(self, line: memoryview) -> None:
        """One row more."""
        self.rows += 1
        if line[0] == _LATER:
            self.late += 1
        elif line[0] == _BAD:
            self.bad.append(key_of(line))
        self._lines.append(line)
        self._waiting += len(line)
        if self._waiting >= _BLOCK_BYTES:
            self.close()

    def cut(self, key: str) -> Copied:
        """The same as all rows before ``key``."""
        self.close()
        self.bounds = KeyRange(self.bounds.low, key)
        return self

    def close(self) -> None:
        """Make a block of what has come."""
        self.blocks.append(b"".join(self._lines))
        self.size += self._waiting
        self._lines.clear()
        self._waiting = 0


async def copied(read: FencedRead, flow: CapturedFlow, chosen: Chosen) -> AsyncGenerator[Copied, None]:
    """What is chosen, in one page or, where that would be large, in some; nothing else may use the session meanwhile."""
    assert isinstance(read.session, CopySession), "a run's sessions can copy"
    page = Copied(chosen.bounds)
    statement = copy_statement(flow, chosen.column)
    async with aclosing(read.session.copy_out(statement, {**chosen.parameters, **read.later})) as lines:
        async for line in lines:
            if page.size >= PAGE_BYTES:
                key = key_of(line)
                yield page.cut(key)
                page = Copied(KeyRange(key, chosen.bounds.high))
            page.add(line)
    page.close()
    yield page


def key_of(line: memoryview) -> str:
    """The second field of a line. COPY spells UUIDs and numbers as they are."""
    return bytes(line).split(b"\t", 2)[1].decode()
