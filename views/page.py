"""What a page is: an address, a title, and the look that it shows, as HTML and, with the same values, as JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol, TypeVar

from views.model import Silence

LIVE_MS: Final = 1000
SLOW_MS: Final = 5000

T = TypeVar("T")
#: What the reader asked for: the variable parts of the path, and the query.
Wish = Mapping[str, str]


class View(Protocol):
    """What one look found: a frozen dataclass, which is also the document of ``/api/….json``."""

    @property
    def at(self) -> datetime:
        """When it was looked."""
        ...

    @property
    def silences(self) -> tuple[Silence, ...]:
        """Parts that nobody answered for now."""
        ...


class NothingThereError(Exception):
    """There is no such flow, run or letter; the message says what there is."""


@dataclass(frozen=True)
class Page:
    """A page of the site.

    ``name`` also names its templates: ``pages/NAME.html`` is the part that changes; ``filters/NAME.html`` and
    ``actions/NAME.html``, where they exist, stand before it and are left alone by refreshes.

    ``look`` raises :class:`NothingThereError` and :class:`views.protocols.Unanswered`. ``refresh_ms`` is between two looks of an
    open page.
    """

    name: str
    path: str
    title: str
    look: Callable[[Wish], Awaitable[View]]
    heading: Callable[[View], str] | None = None
    listed: bool = True
    refresh_ms: int = SLOW_MS

    @property
    def template(self) -> str:
        """Of the part that changes."""
        return f"pages/{self.name}.html"

    @property
    def fragment_path(self) -> str:
        """Where that part is served alone."""
        return f"/partials/{self._slug}"

    @property
    def document_path(self) -> str:
        """Where the same values are served to programs."""
        return f"/api/{self._slug}.json"

    @property
    def _slug(self) -> str:
        return self.path.strip("/") or self.name

    def headed(self, view: View) -> str:
        """The heading over a view, which is also the title of the browser's tab."""
        return self.heading(view) if self.heading else self.title
