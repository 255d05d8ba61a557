"""PostgreSQL column types as the definitions name them, such as ``numeric(5,4)`` or ``varchar(500)``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPELLING: Final = re.compile(r"(?P<base>[a-z]+)(?:\((?P<sizes>\d+(?:,\d+)?)\))?")
_ARGUMENTS: Final = {
    "bigint": 0,
    "boolean": 0,
    "date": 0,
    "integer": 0,
    "jsonb": 0,
    "numeric": 2,
    "smallint": 0,
    "text": 0,
    "timestamptz": 0,
    "uuid": 0,
    "varchar": 1,
}
_CATALOG_NAMES: Final = {"timestamptz": "timestamp with time zone", "varchar": "character varying"}


@dataclass(frozen=True)
class SqlType:
    """A base type and its sizes: ``(precision, scale)`` of numeric, ``(length,)`` of varchar."""

    base: str
    sizes: tuple[int, ...] = ()

    @classmethod
    def parse(cls, spelling: str) -> SqlType:
        """Read ``numeric(5,4)``; raises ``ValueError`` for a type that no flow may use."""
        match = _SPELLING.fullmatch(spelling)
        sizes = tuple(int(size) for size in match["sizes"].split(",")) if match and match["sizes"] else ()
        if match is None or _ARGUMENTS.get(match["base"]) != len(sizes):
            raise ValueError(f"unknown column type {spelling!r}; use one of {', '.join(sorted(_ARGUMENTS))}")
        return cls(match["base"], sizes)

    @property
    def catalog_name(self) -> str:
        """The spelling of ``pg_catalog.format_type``, as `check-schema` compares it."""
        name = _CATALOG_NAMES.get(self.base, self.base)
        return f"{name}({','.join(map(str, self.sizes))})" if self.sizes else name

    @property
    def can_be_long(self) -> bool:
        """Whether values are text that PostgreSQL may store out of line."""
        return self.base in ("jsonb", "text", "varchar")

    def __str__(self) -> str:
        return f"{self.base}({','.join(map(str, self.sizes))})" if self.sizes else self.base
