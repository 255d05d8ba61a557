"""What an error of a run means: an outage is waited out without limit, everything else is an attempt."""

from __future__ import annotations

from typing import Final

from sinks.pool import StatementTimeout, Unavailable
from sinks.source_identity import SourceReplaced
from sinks.source_rows import FenceTimeout
from sinks.sqlstate import DRIVER_ERRORS, Remedy, remedy_of
from sinks.sqlstate import described as named

LONGEST_PAUSE: Final = 600.0
OUTAGE_PAUSE: Final = 10.0


class NotNow(Exception):
    """Something else must come first; the message says what. The run waits for it as for a database."""


class Hindered(Exception):
    """What the run needs is not as it must be; the message says what. An attempt, of which there are only some."""


class Refused(Exception):
    """The run would do harm; the message says why and what to do."""


def is_outage(error: BaseException) -> bool:
    """Whether the run has to wait for something that is not its fault, such as source or target."""
    if isinstance(error, DRIVER_ERRORS):
        return remedy_of(error) is Remedy.WAIT
    return isinstance(error, Unavailable | OSError | NotNow) and not isinstance(error, TimeoutError)


def backoff(attempts: int, first: float) -> float:
    """Seconds before the next attempt: with a ``first`` pause of 15 s it is 15, 30, 60, 120 …, at most ten minutes."""
    return min(first * 2.0 ** max(attempts - 1, 0), LONGEST_PAUSE)


def described(error: BaseException) -> str:
    """For the ledger: never a message of the server, which may quote a value."""
    if isinstance(error, DRIVER_ERRORS):
        return f"the database refused a statement: {named(error)}"
    if isinstance(error, TimeoutError):
        return "no chunk was committed within the time for one"
    if isinstance(error, NotNow | Hindered | Refused | SourceReplaced | FenceTimeout | Unavailable | StatementTimeout):
        return str(error)
    return f"{type(error).__name__}; the worker's log has the details"
