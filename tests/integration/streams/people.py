"""What the tests of profile updates share: a portal whose changes become records, and the records that they come to."""

import random
import uuid
from datetime import UTC, datetime, timedelta

from flows.application_events import APPLICATION_EVENTS
from flows.document_metadata import DOCUMENT_METADATA
from flows.profile_updates import PROFILE_UPDATES as FLOW
from schemas.message_key import message_key, partition_of
from sinks import ledger
from sinks.payload_cipher import PayloadCipher
from sinks.pool import Pool
from streams.match import MatchApplier
from streams.match_decoding import MatchDecoder
from streams.match_writer import MatchWriter
from streams.share_breaker import ShareBreaker
from streams.unit_of_work import UnitOfWork
from tests.oracle.people import COLUMNS, DISTRICTS
from tests.support.record_log import RecordLog

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PLACES = [None, *DISTRICTS, " JAIPUR ", "sriganganagar", "bengaluru  urban", "Atlantis", "New Jaipur"]
VERIFIED = ["VERIFIED", "Verified", "verified"]


def at(minute):
    return (START + timedelta(minutes=minute)).isoformat()


def citizen_row(key=None, number=None, **values):
    """A verified citizen who says nothing but what is given."""
    silent = dict.fromkeys([*COLUMNS, "district"])
    key = key or str(uuid.uuid4())
    return {"id": key, "aadhaar_number": number, "verification_status": "VERIFIED", "updated_at": at(0), **silent} | values


class Portal:
    """Changes of citizens in the order of the log, each with its LSN; numbers are unique, as the portal sees to it."""

    def __init__(self, seed=0, people=6, numbers=9):
        self.random = random.Random(seed)
        self.ids = [str(uuid.UUID(int=self.random.getrandbits(128))) for _ in range(people)]
        self.numbers = [f"{self.random.randrange(10**12):012}" for _ in range(numbers)]
        self.rows, self.changes = {}, []
        self._lsn = 1000

    def act(self):
        """Something happens to somebody."""
        acts = (self._said, self._said, self._said, self._renumbered, self._unverified, self._gone, self._swapped)
        self.random.choice(acts)(self.random.choice(self.ids))

    def put(self, row):
        self._lsn += self.random.randint(1, 3)
        self.rows[row["id"]] = row
        self.changes.append((self._lsn, row["id"], row))

    def _free(self):
        taken = {row["aadhaar_number"] for row in self.rows.values()}
        return self.random.choice([number for number in self.numbers if number not in taken])

    def _drawn(self):
        draw = self.random
        words = {
            name: draw.choice([None, "a", "b", "ರಾಮ", 'x " y \\']) for name in ("full_name", "gender", "city", "email", "pincode")
        }
        born = draw.choice([None, "1970-01-02Z", "2001-12-31"])
        mobile = draw.choice([None, f"+91{draw.randrange(10**10)}"])
        return words | {
            "date_of_birth": born, "mobile_number": mobile, "district": draw.choice(PLACES),
            "verification_status": draw.choice([*VERIFIED, "PENDING"]), "updated_at": at(draw.randrange(1000)),
        }  # fmt: skip

    def _said(self, key):
        number = self.rows[key]["aadhaar_number"] if key in self.rows else self._free()
        self.put({"id": key, "aadhaar_number": number} | self._drawn())

    def _renumbered(self, key):
        self.put({"id": key, "aadhaar_number": self._free()} | self._drawn())

    def _unverified(self, key):
        if key in self.rows:
            self.put(self.rows[key] | {"verification_status": "REJECTED"})

    def _gone(self, key):
        if self.rows.pop(key, None):
            self._lsn += 1
            self.changes.append((self._lsn, key, None))

    def _swapped(self, key):
        """In one transaction, by constraints that are checked at its end: two changes, and either may be seen first."""
        other = self.random.choice(self.ids)
        if other != key and key in self.rows and other in self.rows:
            mine, theirs = self.rows[key], self.rows[other]
            self.put(mine | {"aadhaar_number": theirs["aadhaar_number"], "verification_status": "verified"})
            self.put(theirs | {"aadhaar_number": mine["aadhaar_number"], "verification_status": "verified"})


class CitizenLog(RecordLog):
    """Records of one partition, as Debezium would write them."""

    def __init__(self, partition=0, topic=FLOW.topic):
        super().__init__(topic, partition)

    def change(self, lsn, key, row, op=None):
        op = op or ("d" if row is None else "u")
        self.debezium(message_key(FLOW, key), op, {"id": key} if row is None else None, row, lsn=lsn, at=START)


def logs_of(changes, lanes, chance):
    """The changes in the logs of so many partitions, some of them sent again."""
    logs, sent = [CitizenLog(partition) for partition in range(lanes)], []
    for change in changes:
        for each in (change, *([chance.choice(sent)] if sent and chance.random() < 0.15 else [])):
            logs[partition_of(message_key(FLOW, each[1]), lanes)].change(*each)
        sent.append(change)
    return logs


def match_unit(settings, breaker=(10_000, 0.9)):
    """A unit of work, with a pool of its own."""
    applier = MatchApplier(MatchWriter(FLOW, [DOCUMENT_METADATA, APPLICATION_EVENTS]), MatchDecoder(FLOW, epoch=1))
    return UnitOfWork(FLOW, applier, Pool(settings.warehouse), PayloadCipher(settings.payload_keys), ShareBreaker(*breaker))


async def claimed(unit, partition=0, owner="worker", topic=None):
    async with unit.pool.session() as session:
        (claim,) = await ledger.claim(session, unit.flow.name, owner, [(topic or unit.flow.topic, partition, 0)])
    return claim


def prepare(warehouse):
    """What the platform has: districts, and rights of the worker."""
    with warehouse.cursor() as cursor:
        cursor.executemany("INSERT INTO public.district_master (district_name, district_id) VALUES (%s, %s)", DISTRICTS.items())
    for schema in ("public", "decision"):
        warehouse.execute(
            f"GRANT USAGE ON SCHEMA {schema} TO sync_worker; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO sync_worker"
        )
    return warehouse


def add_foreign(warehouse, number, minute, **values):
    """Another program writes a record."""
    columns = {"jan_aadhaar": number, "updated_at": at(minute), "updated_by": "etl", **values}
    names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns)
    (gr_id,) = warehouse.execute(
        f"INSERT INTO public.golden_records (gr_id, {names}) VALUES (gen_random_uuid(), {places})"
        f" ON CONFLICT (jan_aadhaar) DO UPDATE SET {changed} RETURNING gr_id",
        list(columns.values()),
    ).fetchone()
    return str(gr_id)


def golden(warehouse):
    """Number to what the record holds, by column, and who wrote it last when."""
    names = [*COLUMNS.values(), "district_id"]
    found = warehouse.execute(
        f"SELECT jan_aadhaar, updated_by = 'citizen_portal', updated_at, {', '.join(names)} FROM public.golden_records"
    ).fetchall()
    return {number: (ours, when, dict(zip(names, values, strict=True))) for number, ours, when, *values in found}


def expected(people):
    """The same, as the oracle has it."""
    names = [*COLUMNS.values(), "district_id"]
    made = {}
    for number, record in people.records.items():
        values = {name: record.values.get(name) for name in names}
        born = values["date_of_birth"]
        values["date_of_birth"] = None if born is None else datetime.fromisoformat(born[:10]).date()
        made[number] = (record.ours, record.at, values)
    return made


def links(warehouse):
    """Citizen to number."""
    query = "SELECT citizen_id::text, jan_aadhaar FROM sync.person_link JOIN public.golden_records USING (gr_id)"
    return dict(warehouse.execute(query).fetchall())


def reviews(warehouse):
    """(kind, citizen or None for new records, number)."""
    found = warehouse.execute(
        "SELECT kind, citizen_id::text, jan_aadhaar FROM sync.review_queue JOIN public.golden_records USING (gr_id)"
    ).fetchall()
    listed = [(kind, None if kind == "new_record" else citizen, number) for kind, citizen, number in found]
    assert len(listed) == len(set(listed)), "nothing is to be reviewed twice"
    return set(listed)
