"""What changes of citizens come to in the golden records, written out by hand from the specification.

Changes come in the order of the source's log; the portal is small, so that everything is kept.
"""

from dataclasses import dataclass, field
from datetime import datetime

DISTRICTS = {"Jaipur": 1, "Sri Ganganagar": 2, "Bengaluru Urban": 3}
COLUMNS = {
    "full_name": "full_name", "date_of_birth": "date_of_birth", "gender": "gender", "mobile_number": "mobile_number",
    "email": "email", "city": "city_village", "pincode": "pincode",
}  # fmt: skip


def district_of(name):
    return {"".join(known.split()).lower(): number for known, number in DISTRICTS.items()}.get("".join(name.split()).lower())


@dataclass
class Record:
    """``ours``: we were the last to write it."""

    values: dict
    at: datetime
    ours: bool


@dataclass
class People:
    """``links``: citizen to number. ``reviews``: (kind, citizen or None where anybody may be it, number)."""

    records: dict = field(default_factory=dict)
    links: dict = field(default_factory=dict)
    reviews: set = field(default_factory=set)
    filtered: int = 0

    def foreign(self, number, at, **values):
        """Another program writes a record."""
        before = self.records[number].values if number in self.records else {}
        self.records[number] = Record(before | values, at, ours=False)

    def change(self, row):
        """A citizen's new row, in the order of the log."""
        if row is None or row["verification_status"].lower() != "verified":
            self.filtered += 1
            return
        citizen, number = row["id"], row["aadhaar_number"]
        if citizen in self.links and self.links[citizen] != number:
            self.reviews.add(("number_changed", citizen, self.links[citizen]))
        self.links[citizen] = number
        if row["district"] is not None and district_of(row["district"]) is None:
            self.reviews.add(("unknown_district", citizen, number))
        self._write(number, row, datetime.fromisoformat(row["updated_at"]))

    def _write(self, number, row, at):
        said = {target: row[source] for source, target in COLUMNS.items() if row[source] is not None}
        if row["district"] is not None and district_of(row["district"]) is not None:
            said["district_id"] = district_of(row["district"])
        if number not in self.records:
            self.records[number] = Record({}, at, ours=True)
            self.reviews.add(("new_record", None, number))
        record = self.records[number]
        if record.ours or at > record.at:
            record.values, record.at, record.ours = record.values | said, at, True
