"""Numbers as the wire spells them. The same ones come again and again, and a dictionary answers without a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_MOST: Final = 2**15


class NumberCache(dict[str | None, Any]):
    """The results of ``function`` by the text of a number; ``None`` stands for null. Bounded: the first ones stay."""

    def __init__(self, function: Callable[[str | None], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str | None) -> Any:
        result = self._function(text)
        if len(self) < _MOST:
            self[text] = result
        return result
