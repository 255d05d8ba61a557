"""Applications that live, and the records of their changes as Debezium would write them."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from itertools import count

from flows.application_events import APPLICATION_EVENTS as FLOW
from schemas.message_key import message_key
from tests.oracle.changes import Change
from tests.support.record_log import RecordLog

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TABLE = FLOW.source.table.qualified
STATUSES = ("submitted", "in_review", "documents_pending", "approved", "rejected", "withdrawn", "Approved", "")


class ApplicationLog(RecordLog):
    """Records of one partition as Debezium would write them, and the changes that they tell of."""

    def __init__(self, topic=FLOW.topic, seed=0):
        super().__init__(topic)
        self.changes = []
        self.chance = random.Random(seed)
        self._lsn = count(1000)
        self._minute = count()

    def identifier(self):
        return uuid.UUID(int=self.chance.getrandbits(128))

    def now(self):
        return START + timedelta(minutes=next(self._minute), microseconds=self.chance.randrange(10**6))

    def row(self, scheme, **values):
        now = self.now()
        return {
            "id": self.identifier(), "citizen_id": self.identifier(), "scheme_id": scheme, "status": "submitted",
            "submitted_at": now, "approved_at": None, "updated_at": now,
        } | values  # fmt: skip

    def insert(self, row, op="c"):
        self._change(op, None, row)
        return row

    def update(self, row, **values):
        new = row | {"updated_at": self.now()} | values
        self._change("u", row, new)
        return new

    def delete(self, row):
        self._change("d", row, None)

    def tell_again(self, number):
        """A record once more, at a new offset, as after a restart of the connector."""
        record = self.records[number]
        return self.raw(record.value, record.key)

    def truncate(self, lsn):
        return self.truncated(lsn)

    def _change(self, op, old, new):
        self.changes.append(Change(TABLE, old, new))
        return self.event(op, old, new)

    def event(self, op, old, new, lsn=None):
        lsn = next(self._lsn) if lsn is None else lsn
        return self.debezium(message_key(FLOW, str((new or old)["id"])), op, old, new, lsn=lsn, at=START)


def history(seed, schemes, events=200, applications=20):
    """Applications live: they come, change, are touched, deleted, made anew, and are told of again."""
    log = ApplicationLog(seed=seed)
    chance, living, gone = log.chance, [], []
    for _ in range(events):
        choice = chance.random()
        if not living or (choice < 0.15 and len(living) < applications):
            row = log.row(chance.choice(schemes), status=chance.choice(STATUSES))
            if gone and chance.random() < 0.3:
                living.append(log.insert(row | gone.pop()))
            else:
                living.append(log.insert(row, op=chance.choice("ccr")))
            continue
        place = chance.randrange(len(living))
        if choice < 0.25:
            log.tell_again(chance.randrange(len(log.records)))
        elif choice < 0.3:
            log.delete(living[place])
            gone.append({name: living[place][name] for name in ("id", "scheme_id")})
            del living[place]
        elif choice < 0.5:
            living[place] = log.update(living[place])
        else:
            living[place] = log.update(living[place], **_move(log, living[place]))
    return log


def _move(log, row):
    """A change of status: at once, at the same time as the last, with or without a time of its own, there and back."""
    chance, status = log.chance, log.chance.choice(STATUSES)
    values = {"status": status}
    if status == "approved":
        values["approved_at"] = chance.choice([None, row["approved_at"], log.now()])
    if chance.random() < 0.2:
        values["updated_at"] = row["updated_at"] - chance.choice([timedelta(0), timedelta(hours=1)])
    return values
