"""The demo's trickle in a thread of the test's process, through outages of the warehouse."""

from collections import Counter
from functools import partial
from threading import Event, Thread
from types import TracebackType
from typing import Self

from demo.changes import ChangeKind
from demo.databases import DatabaseName, connect
from demo.runner import Runner, burst_for
from demo.trickle import Trickle
from tests.support.installation import Installation


class Load:
    """Changes at `rate` per second inside the block; `done` tells afterwards what was committed."""

    def __init__(self, installation: Installation, *, rate: float, seed: int) -> None:
        self.done: Counter[ChangeKind] = Counter()
        self._rate = rate
        self._stop = Event()
        self._failure: BaseException | None = None
        open_connection = partial(connect, installation.settings, DatabaseName.WAREHOUSE)
        trickle = Trickle(installation.population, seed)
        self._runner = Runner(trickle, open_connection, lambda _: None, self._stop)
        self._thread = Thread(target=self._run, name="load", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _run(self) -> None:
        try:
            self.done = self._runner.run(self._rate, burst_for(self._rate))
        except BaseException as error:  # noqa: BLE001 told to the test when the block ends
            self._failure = error
