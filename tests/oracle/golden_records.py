"""What becomes of golden records when citizens and the warehouse's own writers change things, in plain Python.

Takes an ordered list of changes to `public.citizens` and, by others than the product, to `public.golden_records`. Where the two
databases are changed at the same time, the order in which the product sees citizens is for the caller to arrange.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from tests.oracle.changes import Change, Row

CITIZENS = "public.citizens"
GOLDEN_RECORDS = "public.golden_records"

_COLUMNS = {
    "full_name": "full_name",
    "date_of_birth": "date_of_birth",
    "gender": "gender",
    "mobile_number": "mobile_number",
    "email": "email",
    "city": "city_village",
    "pincode": "pincode",
}
_OURS = "citizen_portal"


@dataclass
class Record:
    """A golden record; `gr_id` and `family_id` are None in one that a citizen made.

    `written`: what the product set `updated_at` to last.
    """

    values: dict[str, Any]
    written: datetime | None = None

    @property
    def is_ours(self) -> bool:
        return (self.values["updated_by"], self.values["updated_at"]) == (_OURS, self.written)


@dataclass
class GoldenRecords:
    """Records by number; `review` has (reason, number); `matches` the numbers that each citizen had, in order."""

    districts: Mapping[str, int]
    records: dict[str, Record] = field(default_factory=dict)
    review: set[tuple[str, str]] = field(default_factory=set)
    matches: dict[UUID, list[str]] = field(default_factory=dict)

    def apply(self, changes: Iterable[Change]) -> None:
        """Go on from here with these changes."""
        for change in changes:
            if change.table == GOLDEN_RECORDS:
                self._written_by_others(change)
            elif change.new is not None and change.new["verification_status"].upper() == "VERIFIED":
                self._verified(change.new)

    def rows(self) -> dict[str, dict[str, Any]]:
        """All columns but gr_id, by number."""
        return {
            number: {column: value for column, value in record.values.items() if column != "gr_id"}
            for number, record in self.records.items()
        }

    def _written_by_others(self, change: Change) -> None:
        record = Record({}) if change.old is None else self.records.pop(change.old["jan_aadhaar"], Record({}))
        if change.new is not None:
            self.records[change.new["jan_aadhaar"]] = Record(dict(change.new), record.written)

    def _verified(self, citizen: Row) -> None:
        number = citizen["aadhaar_number"]
        if number is None:
            return
        self._match(citizen["id"], number)
        record = self.records.get(number)
        if record is None:
            self.review.add(("created", number))
            record = self.records[number] = Record(_blank(number))
        elif not record.is_ours and citizen["updated_at"] <= record.values["updated_at"]:
            return
        self._write(record, citizen)

    def _match(self, citizen_id: UUID, number: str) -> None:
        numbers = self.matches.setdefault(citizen_id, [])
        if numbers and numbers[-1] != number:
            self.review.add(("number changed", numbers[-1]))
        if not numbers or numbers[-1] != number:
            numbers.append(number)

    def _write(self, record: Record, citizen: Row) -> None:
        said = {target: citizen[source] for source, target in _COLUMNS.items()}
        said["district_id"] = self._district(citizen)
        record.values |= {column: value for column, value in said.items() if value is not None}
        record.values |= {"updated_at": citizen["updated_at"], "updated_by": _OURS}
        record.written = citizen["updated_at"]

    def _district(self, citizen: Row) -> int | None:
        if citizen["district"] is None:
            return None
        known = {_spelling(name): number for name, number in self.districts.items()}
        found = known.get(_spelling(citizen["district"]))
        if found is None:
            self.review.add(("unknown district", citizen["aadhaar_number"]))
        return found


def _spelling(name: str) -> str:
    return "".join(name.split()).lower()


def _blank(number: str) -> dict[str, Any]:
    columns = ("gr_id", "family_id", *_COLUMNS.values(), "district_id")
    return dict.fromkeys(columns) | {"jan_aadhaar": number, "updated_at": None, "updated_by": None}
