"""Records of callback flows, made by the intake's own code from random good bodies."""

import json
import random
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from flows.benefit_forecasts import BENEFIT_FORECASTS
from flows.ml_alerts import ALERT_SOURCES, ML_ALERTS, SEVERITIES
from schemas.avro import codec
from schemas.avro_schema import schema_name
from schemas.callback_body import BodyReader
from schemas.callback_record import Delivery, record_maker
from tests.support.record_log import RecordLog

POSTED = (BENEFIT_FORECASTS, ML_ALERTS)

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
TEXTS = ["", "a", "ರಾಮ", 'quote " and \\ back', "line\nbreak", "👩🏽‍🌾 x", "{severity} $1 %s"]
# What no intake of this release would write.
BAD = {"benefit_forecasts": {"horizon_months": 0}, "ml_alerts": {"severity": "WORST"}}


def in_python(flow, body):
    """A body as the target has it, by the types of the specification."""
    types = {column.name: column.type for column in flow.target.columns}
    convert = {"uuid": uuid.UUID, "timestamptz": datetime.fromisoformat, "numeric(14,2)": Decimal}
    return {name: value if value is None else convert.get(types[name], lambda same: same)(value) for name, value in body.items()}


class PostedLog(RecordLog):
    """Records of one partition of a callback flow, as the intake writes them."""

    def __init__(self, flow, topic=None, seed=0):
        super().__init__(topic or flow.topic)
        self.flow = flow
        self._random = random.Random(seed)
        self._seconds = count()
        self._ids = count()
        self._read = BodyReader(flow.source).read
        self._make = record_maker(flow.source)

    def row(self, key=None, **values):
        """A random good body, later than all before it."""
        time = (START + timedelta(seconds=next(self._seconds))).isoformat()
        made = {"benefit_forecasts": self._forecast, "ml_alerts": self._alert}[self.flow.name]()
        return made | {self.flow.source.key: key or self._uuid(), self.flow.source.time: time} | values

    def _forecast(self):
        chance = self._random
        return {
            "family_id": self._uuid(),
            "horizon_months": chance.randint(1, 600),
            "total_annual_value": f"{chance.randrange(10**12)}.{chance.randrange(100):02}",
            "scheme_count": chance.randrange(50),
            "projections": [{"name": chance.choice(TEXTS), "value": f"{chance.random():.9f}"}],
        }

    def _alert(self):
        chance = self._random
        return {
            "source": chance.choice(ALERT_SOURCES),
            "family_id": self._uuid(),
            "citizen_id": chance.choice([None, self._uuid()]),
            "alert_type": chance.choice(TEXTS),
            "severity": chance.choice(SEVERITIES),
            "message": chance.choice(TEXTS),
            "action_url": chance.choice([None, "/renew", "https://example.org/a?b=c"]),
            "expires_at": chance.choice([None, (START + timedelta(days=chance.randrange(99))).isoformat()]),
        }

    def _uuid(self):
        return str(uuid.UUID(int=self._random.getrandbits(128)))

    def upsert(self, row, *_, **__):
        """Post a body."""
        delivery = Delivery(f"msg_{next(self._ids)}", "sender", START, self._read(json.dumps(row).encode()))
        made = self._make(delivery)
        return self.raw(made.value, made.key, made.headers)

    def bad(self, row):
        """Post what the checks of this release refuse."""
        read = self._read(json.dumps(row).encode()) | BAD[self.flow.name]
        key = json.dumps({self.flow.source.key: row[self.flow.source.key]}, separators=(",", ":")).encode()
        return self.raw(codec(schema_name(self.flow.source)).encode(read), key)
