"""Golden records when both databases change at the same time: the order in which the product saw citizens, from what it wrote.

A citizen's change that the product wrote down has its place in the log of golden records. One that was not written down
(superseded, or nothing to change) has its place wherever it changes nothing. One that the product saw after a later one of
another citizen may only fill what that left out: it has its place before it. One that fits nowhere comes last: there it changes a
record, and the comparison shows that it was lost.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.oracle.changes import Change
from tests.oracle.golden_records import GoldenRecords, Record

PRODUCT = "citizen_portal"

Timed = tuple[datetime, Change]
Key = tuple[str, datetime]


class Unexplained(AssertionError):
    """The product wrote a golden record that no change of a citizen explains."""


@dataclass
class MergedHistory:
    """Brings an oracle through both logs; ``waiting`` holds changes of citizens without a place yet, by number.

    ``_told``: what citizens said of a record since somebody else wrote it, each with the record as it was before.
    ``_order``: in which order changes came, by their identity; it keeps them, so that no other takes it over.
    """

    oracle: GoldenRecords
    waiting: dict[str, list[Change]] = field(default_factory=lambda: defaultdict(list))
    _writes: dict[Key, int] = field(default_factory=dict)
    _told: dict[str, list[tuple[Record | None, Change]]] = field(default_factory=lambda: defaultdict(list))
    _order: dict[int, tuple[int, Change]] = field(default_factory=dict)

    def apply(self, citizens: Iterable[Timed], records: Sequence[Timed]) -> None:
        """Go through both logs; each is in the order of its commits, with the time of each change."""
        arrivals = deque(sorted((timed for timed in citizens if _says_something(timed[1])), key=lambda timed: timed[0]))
        known = {_key(change) for _, change in arrivals}
        self._writes = {}
        for _, change in records:
            if (key := _written(change)) is not None and key in known:
                self._writes[key] = self._writes.get(key, 0) + 1
        for at, change in records:
            while arrivals and arrivals[0][0] <= at:
                self._arrive(arrivals.popleft()[1])
            self._happen(change)
        while arrivals:
            self._arrive(arrivals.popleft()[1])
        for late in self.waiting.values():
            self.oracle.apply(late)

    def _arrive(self, change: Change) -> None:
        self._order[id(change)] = (len(self._order), change)
        self.waiting[_number(change)].append(change)
        self._place_quiet(_number(change))

    def _happen(self, change: Change) -> None:
        key = _written(change)
        if key is not None and key in self._writes:
            self._place_written(key, change)
            self._writes[key] -= 1
            if not self._writes[key]:
                del self._writes[key]
        else:
            self.oracle.apply([change])
            for row in filter(None, (change.old, change.new)):
                self._told[row["jan_aadhaar"]].clear()
        for row in filter(None, (change.old, change.new)):
            self._place_quiet(row["jan_aadhaar"])

    def _place_written(self, key: Key, change: Change) -> None:
        """Find the citizen's change that was written, and as many before it as one chunk may have merged with it.

        Two citizens may have the number one after the other: the earlier's change, too, is then in the later's write.
        """
        assert change.new is not None
        number, waiting = key[0], self.waiting[key[0]]
        for last in (each for each in waiting if _key(each) == key):
            before = [each for each in waiting[: waiting.index(last)] if _key(each) not in self._writes or _key(each) == key]
            for first in range(len(before) + 1):
                merged = [*before[first:], last]
                if self._trial(number, merged) == _without_gr_id(change.new):
                    self._tell(number, merged)
                    self.waiting[number] = [each for each in waiting if not any(each is one for one in merged)]
                    return
        if any(self._place_late(number, late, _without_gr_id(change.new)) for late in list(waiting)):
            return
        told = [(_key(each)[1], each.new) for each in waiting]
        raise Unexplained(
            f"none of {len(waiting)} changes explains what was written of {key}: {change.new}; it stood at"
            f" {self.oracle.rows().get(number)}, and there were {told}, to be written: {sorted(self._writes)}"
        )

    def _place_quiet(self, number: str) -> None:
        """Place what changes nothing now and is not written down later."""
        for change in list(self.waiting[number]):
            if _key(change) not in self._writes and self._trial(number, [change]) == self._trial(number, []):
                self._tell(number, [change])
                self.waiting[number].remove(change)
            else:
                self._place_late(number, change, self._trial(number, []))

    def _place_late(self, number: str, late: Change, expected: dict[str, Any] | None) -> bool:
        """Place a change before those that came after it and were seen before it, if the record then is as expected."""
        told, place = self._told[number], self._place_of(number, late)
        if _key(late) in self._writes or place == len(told):
            return False
        before, later = told[place][0], [each for _, each in told[place:]]
        # Whoever takes over somebody else's record answers for all of its columns: what came before fills none of them.
        taken_over = place == 0 and before is not None and not before.is_ours
        changes = later if taken_over else [late, *later]
        if self._outcome(number, before, changes) != expected:
            return False
        del told[place:]
        self.oracle.records.pop(number)
        self.oracle.records |= {} if before is None else {number: before}
        self._tell(number, changes)
        self.waiting[number] = [each for each in self.waiting[number] if each is not late]
        return True

    def _place_of(self, number: str, late: Change) -> int:
        """Behind the last one that came before it."""
        came, _ = self._order[id(late)]
        earlier = [place for place, (_, each) in enumerate(self._told[number], 1) if self._order[id(each)][0] < came]
        return earlier[-1] if earlier else 0

    def _tell(self, number: str, changes: Iterable[Change]) -> None:
        for change in changes:
            self._told[number].append((deepcopy(self.oracle.records.get(number)), change))
            self.oracle.apply([change])

    def _trial(self, number: str, changes: Sequence[Change]) -> dict[str, Any] | None:
        return self._outcome(number, self.oracle.records.get(number), changes)

    def _outcome(self, number: str, before: Record | None, changes: Sequence[Change]) -> dict[str, Any] | None:
        trial = GoldenRecords(self.oracle.districts, {} if before is None else {number: deepcopy(before)})
        trial.apply(changes)
        return trial.rows().get(number)


def _says_something(change: Change) -> bool:
    new = change.new
    return new is not None and new["verification_status"].upper() == "VERIFIED" and new["aadhaar_number"] is not None


def _number(change: Change) -> str:
    assert change.new is not None
    number: str = change.new["aadhaar_number"]
    return number


def _key(change: Change) -> Key:
    assert change.new is not None
    return _number(change), change.new["updated_at"]


def _written(change: Change) -> Key | None:
    """What a write of the product is known by; others leave another name or another time."""
    row = change.new
    return (row["jan_aadhaar"], row["updated_at"]) if row is not None and row["updated_by"] == PRODUCT else None


def _without_gr_id(row: Any) -> dict[str, Any]:
    return {column: value for column, value in row.items() if column != "gr_id"}
