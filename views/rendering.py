"""Templates to text. Everything is escaped; the filters are the functions of :mod:`views.formatting`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from views import formatting, levels
from views.page import Page
from views.visitor import VISITOR

STATIC_PREFIX: Final = "/static/"
STATIC_FOLDER: Final = Path(__file__).parent / "static"

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FILTERS: Final = (
    formatting.both_zones,
    formatting.count,
    formatting.duration,
    formatting.milliseconds,
    formatting.outcomes,
    formatting.ranges,
    formatting.percent,
    formatting.rate,
    formatting.shortened,
    formatting.size,
    levels.dead_letter_level,
    levels.heartbeat_level,
    levels.lag_level,
    levels.letter_level,
    levels.state_level,
)


class Renderer:
    """Renders the templates of this folder; a name that a template misspells is an error, not an empty space.

    ``navigation`` are the pages that every page links to.
    """

    def __init__(self, navigation: Sequence[Page] = ()) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update({function.__name__: function for function in _FILTERS})
        self._environment.globals |= {"static": STATIC_PREFIX, "navigation": navigation, "visitor": VISITOR.get}

    def page(self, template: str, **values: Any) -> str:
        """Render ``template`` with ``values``, for whoever looks: ``visitor()`` in templates."""
        return self._environment.get_template(template).render(values)
