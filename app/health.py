"""Whether a worker lives, and whether it can do its work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from metrics import catalogue
from metrics.samples import Samples
from streams.coordinator import Coordinator
from streams.status import StatusBook

#: The worker asks the broker every second.
BROKER_PATIENCE: Final = 5.0

#: Says what is wrong, or nothing.
Check = Callable[[], str | None]


class Health:
    """``databases``: name → what a look at it had to complain of."""

    def __init__(self, status: StatusBook, coordinators: Sequence[Coordinator], databases: Mapping[str, Check]) -> None:
        self._status = status
        self._coordinators = coordinators
        self._checks: dict[str, Check] = {
            "assigned": self._assigned,
            "recovered": self._recovered,
            "broker": self._broker,
            **{f"pool {name}": check for name, check in databases.items()},
        }

    def stuck(self) -> str | None:
        """Why the worker should be started anew. That the loop stands still shows by no answer at all."""
        return ", ".join(self._status.stalls.stuck) or None

    def problems(self) -> dict[str, str | None]:
        """Every check with what is wrong; the worker is ready when nothing is."""
        return {name: check() for name, check in self._checks.items()}

    def samples(self) -> Samples:
        """Readiness as a metric."""
        samples = Samples()
        samples.set(catalogue.READY, not any(self.problems().values()))
        return samples

    def _assigned(self) -> str | None:
        return _flows(each for each in self._coordinators if not each.assigned_now)

    def _recovered(self) -> str | None:
        return _flows(each for each in self._coordinators if not each.open)

    def _broker(self) -> str | None:
        silence = self._status.broker_silence
        if silence is None:
            return "has not answered yet"
        return f"silent for {silence:.0f} s" if silence > BROKER_PATIENCE else None


def _flows(waiting: Iterable[Coordinator]) -> str | None:
    names = [each.services.flow.name for each in waiting]
    return f"not yet: {', '.join(names)}" if names else None
