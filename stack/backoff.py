"""How long to pause before a process that died is started again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Pauses double from `first` to `longest` seconds; after `steady` seconds of life they begin anew."""

    first: float = 1.0
    longest: float = 30.0
    steady: float = 60.0

    def next_pause(self, previous: float | None, lived: float) -> float:
        """Return the pause after a life of `lived` seconds that the pause `previous` had preceded (None: the first)."""
        if previous is None or lived >= self.steady:
            return self.first
        return min(previous * 2, self.longest)
