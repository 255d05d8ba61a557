"""One person with everything that the platform and we hold of them: rows of every source, and what comes of them at ours."""

import json
from dataclasses import dataclass, field
from uuid import uuid4

from demo.databases import DatabaseName
from flows.registry import CAPTURED
from tests.support.canary_rows import household


def _new():
    return str(uuid4())


@dataclass
class Household:
    """A citizen who is the only member of a family. `rows`: the platform's, by qualified table; ids are as the platform's."""

    number: str
    rows: dict = field(default_factory=household)
    feedback: str = field(default_factory=_new)
    forecast: str = field(default_factory=_new)
    alert: str = field(default_factory=_new)
    member: str = field(default_factory=_new)

    def __post_init__(self):
        self.rows["public.schemes"] |= {"name": "a scheme", "status": "ACTIVE"}
        self.rows["public.citizens"] |= {"aadhaar_number": self.number, "updated_at": "now"}
        self.rows["public.golden_records"] |= {"jan_aadhaar": self.number, "updated_at": "2020-01-01 00:00Z", "updated_by": "x"}
        self.rows["public.service_applications"] |= {"updated_at": "now", "submitted_at": "now"}
        self.rows["public.profile_360"] |= {"updated_at": "now"}
        self.rows["decision.applications"] |= {"application_id": self.application, "decision_timestamp": "now"}
        self.rows["eligibility.eligibility_snapshots"] |= {
            "member_id": self.member, "eligibility_score": "0.9", "explanation": f"why {self.member}", "updated_at": "now",
        }  # fmt: skip

    @property
    def citizen(self):
        return self.rows["public.citizens"]["id"]

    @property
    def gr_id(self):
        return self.rows["public.golden_records"]["gr_id"]

    @property
    def family(self):
        return self.rows["public.golden_records"]["family_id"]

    @property
    def application(self):
        return self.rows["public.service_applications"]["id"]

    @property
    def document(self):
        return self.rows["public.documents"]["id"]

    @property
    def ids(self):
        """Every id by which the person may be found again."""
        mine = (self.citizen, self.gr_id, self.family, self.application, self.document, self.feedback, self.forecast, self.alert)
        return (*mine, self.member)

    def move_in(self, databases):
        """Insert the platform's rows."""
        for flow in CAPTURED:
            name = flow.source.table.qualified
            _insert(databases[flow.source.table.database.value], name, self.rows[name])

    def move_out(self, databases):
        """Delete them; the catalogue of schemes stays."""
        for flow in [each for each in CAPTURED if each.name != "scheme_map"]:
            name = flow.source.table.qualified
            key = flow.source.primary_key
            databases[flow.source.table.database.value].execute(f"DELETE FROM {name} WHERE {key} = %s", (self.rows[name][key],))

    def leave_traces(self, databases, cipher):
        """Write what batch jobs, callbacks, bad records and operators leave of the person."""
        warehouse, citizen = databases[DatabaseName.WAREHOUSE.value], databases[DatabaseName.CITIZEN.value]
        for statement in _IN_THE_WAREHOUSE:
            warehouse.execute(statement, self._values())
        for statement in _IN_THE_PORTAL:
            citizen.execute(statement, self._values())
        record = {name: None if token is None else token.encode() for name, token in self._record(cipher).items()}
        for statement in _BAD_RECORDS:
            warehouse.execute(statement, self._values() | record)

    def _record(self, cipher):
        key = json.dumps({"id": self.application}).encode()
        body = json.dumps({"after": {"id": self.application.upper(), "citizen_id": self.citizen}}).encode()
        return cipher.encrypted(key, body, [("__debezium.oldkey", self.citizen.encode())])

    def _values(self):
        return {
            name: getattr(self, name) for name in ("citizen", "gr_id", "family", "application", "feedback", "forecast", "alert")
        }


def _insert(connection, table, row):
    names, places = ", ".join(row), ", ".join(["%s"] * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(row.values()))


_IN_THE_WAREHOUSE = (
    """INSERT INTO analytics.feedback_analytics (feedback_id, citizen_id, created_at, comment)
       VALUES (%(feedback)s, %(citizen)s, now(), 'said')""",
    """INSERT INTO analytics.user_behavior (citizen_id, event_type, activity_date, event_count, total_duration_ms,
           first_at, last_at) VALUES (%(citizen)s, 'visit', '2026-01-01', 1, 1, now(), now())""",
    "INSERT INTO sync.unlinked (citizen_id, flow, key) VALUES (%(citizen)s, 'feedback', %(feedback)s)",
    "INSERT INTO sync.unresolved (flow, key, reference) VALUES ('feedback', %(feedback)s, 'x')",
    """INSERT INTO sync.review_queue (flow, kind, citizen_id, gr_id, reason)
       VALUES ('profile_updates', 'new_record', %(citizen)s, %(gr_id)s, 'new')""",
    """INSERT INTO sync.reconciliation (run, flow, repairs, key_from, state, progress)
       VALUES ('20260101', 'profile_updates', true, %(citizen)s, 'done', jsonb_build_object('rows', ARRAY[%(citizen)s::text]))
       ON CONFLICT (run, flow) DO UPDATE SET progress = jsonb_build_array(reconciliation.progress, excluded.progress)""",
    """INSERT INTO sync.backfilled_fact (flow, row_key, state, fact_time)
       VALUES ('application_events', %(application)s, 'submitted', now())""",
    "INSERT INTO sync.maintenance (starts_at, ends_at, reason, asked_by) VALUES (now(), now(), 'for ' || %(citizen)s::text, 'x')",
)
_IN_THE_PORTAL = (
    """INSERT INTO public.benefit_forecasts (forecast_id, family_id, horizon_months, total_annual_value, scheme_count,
           projections, generated_at) VALUES (%(forecast)s, %(family)s, 1, 1, 1, '[]', now())""",
    """INSERT INTO public.ml_alerts (alert_id, source, family_id, citizen_id, alert_type, severity, message, created_at)
       VALUES (%(alert)s, 'AI-PLATFORM-07', %(family)s, %(citizen)s, 'x', 'LOW', 'x', now())""",
    """INSERT INTO public.notifications (id, family_id, type, message, metadata, created_at)
       VALUES (gen_random_uuid(), %(family)s, 'ML_ALERT', 'x', jsonb_build_object('alert_id', %(alert)s::text), now())""",
    """INSERT INTO sync.row_version (flow, key, epoch, lsn, deleted)
       VALUES ('benefit_forecasts', %(forecast)s, 1, 1, false), ('ml_alerts', %(alert)s, 1, 1, false)""",
    """WITH run AS (INSERT INTO sync.job_run (job, scheduled_for, lane, state, due_at, parameters, cursor, ended_at)
           VALUES ('golden_records_daily', clock_timestamp(), 'golden', 'succeeded', now(),
                   jsonb_build_object('low', %(gr_id)s::text), jsonb_build_object('after', %(gr_id)s::text), now())
           RETURNING run_id)
       INSERT INTO sync.job_missed (run_id, key, what) SELECT run_id, %(gr_id)s::text, 'written' FROM run""",
)
_BAD_RECORDS = (
    """INSERT INTO sync.dead_letter (flow, topic, partition, "offset", reason, detail, record_key, record_value, headers)
       SELECT 'application_events', 'citizen.public.service_applications', 0, 1000000 + count(*), 'wrong_type', 'a detail',
              %(record_key)s, %(record_value)s, %(headers)s FROM sync.dead_letter""",
    """INSERT INTO sync.parked (flow, topic, partition, "offset", row_key, reference, record_key, record_value, headers, deadline)
       SELECT l.flow, l.topic, l.partition, 2000000 + (SELECT count(*) FROM sync.parked), %(application)s, gen_random_uuid(),
              %(record_key)s, %(record_value)s, %(headers)s, now() + interval '1 hour'
       FROM sync.ledger AS l WHERE l.flow = 'application_events' AND l.topic NOT LIKE 'sync.%%' AND l.partition = 0""",
    """UPDATE sync.ledger SET parked = parked + 1, records_read = records_read + 1, next_offset = next_offset + 1
       WHERE flow = 'application_events' AND topic NOT LIKE 'sync.%%' AND partition = 0""",
)
