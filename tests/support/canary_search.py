"""Search any amount of bytes for many values at once, in every form in which a value may have been written down."""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.canaries import Canary

DIGITS_ENOUGH = 8  # fewer digits may stand anywhere by chance


@dataclass(frozen=True)
class Hit:
    """A canary that was found."""

    canary: str
    form: str
    place: str


@dataclass
class Search:
    """One compiled expression for all canaries. ``hits``: what was found where it may not be; ``allowed``: where it may."""

    canaries: Iterable[Canary]
    hits: set[Hit] = field(default_factory=set)
    allowed: set[Hit] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = _told_apart(self.canaries)
        self._expression = re.compile(alternation(self._known))
        self._overlap = max(map(len, self._known)) - 1

    def of(self, place: str) -> "Scan":
        """Begin to search a place."""
        return Scan(self, place)

    def look(self, place: str, window: bytes) -> bytes:
        """Search a part of a place; returns its end, in which something may have begun."""
        for found in self._expression.finditer(window):
            canary, form = self._known[found.group()]
            (self.allowed if place in canary.places else self.hits).add(Hit(canary.name, form, place))
        return window[-self._overlap :]


@dataclass
class Scan:
    """Searches the parts of one place as they come, and holds no more than a part and the end of the one before."""

    search: Search
    place: str
    _end: bytes = b""

    def feed(self, part: bytes) -> None:
        """Search what comes next."""
        self._end = self.search.look(self.place, self._end + part)

    def feed_all(self, parts: Iterable[bytes]) -> None:
        """Search parts that do not belong together."""
        for part in parts:
            self._end = b""
            self.feed(part)


def _told_apart(canaries: Iterable[Canary]) -> dict[bytes, tuple[Canary, str]]:
    known: dict[bytes, tuple[Canary, str]] = {}
    for canary in canaries:
        for form, text in forms(canary.value):
            other, _ = known.setdefault(text, (canary, form))
            if other != canary:
                raise ValueError(f"{canary.name} and {other.name} look the same in {form}: their values must differ earlier")
    return known


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """Return the name and the bytes of each form."""
    raw = value.encode()
    yield "plain", raw
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    yield from (("base64", _aligned(raw, place)) for place in range(3))
    digits = "".join(filter(str.isdigit, value)).encode()
    if digits != raw and not any(map(str.isalpha, value)) and len(digits) >= DIGITS_ENOUGH:
        yield "digits", digits
        yield "digits", digits.removeprefix(b"91")


def _aligned(raw: bytes, place: int) -> bytes:
    """Return what stands in base64 for bytes that begin at this place of three, whatever stands before and behind them."""
    encoded = base64.b64encode(b"\0" * place + raw)
    mixed_with_before, whole = (0, 2, 3)[place], (place + len(raw)) * 8 // 6
    return encoded[mixed_with_before:whole]


def alternation(texts: Iterable[bytes]) -> bytes:
    """Return an expression for any of the texts; common beginnings are tried once."""
    tree: dict[int, Any] = {}
    for text in texts:
        branch = tree
        for byte in text:
            branch = branch.setdefault(byte, {})
        branch[-1] = {}
    return _rendered(tree)


def _rendered(tree: dict[int, Any]) -> bytes:
    stem = b""
    while len(tree) == 1 and -1 not in tree:
        ((byte, tree),) = tree.items()
        stem += re.escape(bytes([byte]))
    branches = [re.escape(bytes([byte])) + _rendered(below) for byte, below in tree.items() if byte != -1]
    if not branches:
        return stem
    return stem + b"(?:" + b"|".join(branches) + b")" + (b"?" if -1 in tree else b"")
