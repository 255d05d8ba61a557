"""The page of the settings that this worker was started with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from views.model import Silence
from views.page import Wish
from views.records import ShownSetting
from views.sources import Sources


@dataclass(frozen=True)
class ConfigurationView:
    """Secrets are told as set or not set."""

    at: datetime
    silences: tuple[Silence, ...]
    settings: tuple[ShownSetting, ...]


class ConfigurationPage:
    """Looks at nothing that changes."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def look(self, _: Wish) -> ConfigurationView:
        """All settings."""
        return ConfigurationView(self._sources.clock(), (), tuple(self._sources.records.configuration()))
