"""Damage of every kind that a flow's target can suffer, planted at random, and what of it the reconciliation must find."""

import random
import uuid
from dataclasses import dataclass, field

from flows.append_model import AppendFlow
from flows.match_model import MatchFlow
from flows.model import RankedFlow

# Not compared, with the reason: see docs/decisions/0041.
EXEMPT = {
    # What is neither type nor state is as of then; and a fact with another type or time is another fact.
    "application_events": {
        "event_timestamp",
        "approval_timestamp",
        "application_id",
        "status",
        "event_type",
        "citizen_id",
        "scheme_code",
    },
    "profile_updates": {"jan_aadhaar", "updated_at"},
}


OUTSPOKEN = """
    SELECT id::text, aadhaar_number, district FROM public.citizens
    WHERE lower(verification_status) = 'verified' AND num_nulls(full_name, date_of_birth, gender, mobile_number, email, city,
                                                                district, pincode, aadhaar_number) = 0
    """
OURS = """
    SELECT p.citizen_id::text, t.jan_aadhaar FROM sync.person_link AS p JOIN public.golden_records AS t USING (gr_id)
    JOIN sync.golden_write AS w USING (gr_id) WHERE t.updated_by = 'citizen_portal' AND t.updated_at = w.updated_at
    """


@dataclass
class Planted:
    """Keys that miss rows, have rows too many, and whose rows differ, with the columns."""

    missing: set = field(default_factory=set)
    extra: set = field(default_factory=set)
    different: dict = field(default_factory=dict)


class Planter:
    """Damages the target of a flow. No key is damaged twice. `source` and `target` are administrators' connections."""

    def __init__(self, flow, source, target, seed):
        self.flow, self.source, self.target, self.random = flow, source, target, random.Random(seed)
        self.table = flow.target.table.qualified
        self.key = self._key_column()
        self.planted = Planted()
        self._keys = self._shuffled_keys()

    def _key_column(self):
        if isinstance(self.flow, RankedFlow):
            return "family_id"
        return self.flow.identity if isinstance(self.flow, MatchFlow) else self.flow.target.key[0]

    def _shuffled_keys(self):
        if isinstance(self.flow, MatchFlow):
            keys = self._ours()
        else:
            alive = "WHERE deleted_at IS NULL" if getattr(self.flow, "deleted_at", None) else ""
            keys = [key for (key,) in self.target.execute(f"SELECT DISTINCT {self.key}::text FROM {self.table} {alive}")]
        keys.sort()
        self.random.shuffle(keys)
        return keys

    def _ours(self):
        """Citizens of whose records we know everything: they say everything, and nobody else has written since."""
        said = self.source.execute(OUTSPOKEN).fetchall()
        places = {_plain(name) for (name,) in self.target.execute("SELECT district_name FROM public.district_master")}
        held = dict(self.target.execute(OURS).fetchall())
        return [key for key, number, district in said if held.get(key) == number and _plain(district) in places]

    def where(self):
        """The condition on the row ``t`` of a key."""
        if isinstance(self.flow, MatchFlow):
            return "t.gr_id = (SELECT gr_id FROM sync.person_link WHERE citizen_id = %(key)s)"
        return f"t.{self.key} = %(key)s"

    def remove(self):
        """Rows that are lost."""
        key = self._keys.pop()
        self.target.execute(f"DELETE FROM {self.table} AS t WHERE {self.where()}", {"key": key})
        self.planted.missing.add(key)

    def change(self, column, expression):
        """A column that holds something else."""
        key = self._keys.pop()
        found = self.target.execute(
            f"UPDATE {self.table} AS t SET {column} = {expression}"
            f" WHERE {self.where()} AND t.{column} IS DISTINCT FROM {expression}",
            {"key": key},
        )
        if found.rowcount:
            self.planted.different[key] = column

    def add(self):
        """A row that no source row stands behind: a copy of one, under another key."""
        key, new = self._keys.pop(), str(uuid.UUID(int=self.random.getrandbits(128)))
        names = [name for name, _ in self.flow.written_columns]
        values = ", ".join("%(new)s::uuid" if name == self.key else f"t.{name}" for name in names)
        self.target.execute(
            f"INSERT INTO {self.table} ({', '.join(names)}) SELECT {values} FROM {self.table} AS t WHERE {self.where()}",
            {"key": key, "new": new},
        )
        self.planted.extra.add(new)

    def swap(self):
        """Two rows of which each stands under the other's key."""
        one, other = self._keys.pop(), self._keys.pop()
        spare = str(uuid.UUID(int=self.random.getrandbits(128)))
        for before, after in ((one, spare), (other, one), (spare, other)):
            self.target.execute(f"UPDATE {self.table} SET {self.key} = %s WHERE {self.key} = %s", (after, before))
        self.planted.different |= {one: None, other: None}

    def damaged_columns(self):
        """Every column that may be damaged, with an expression that changes it."""
        exempt = EXEMPT.get(self.flow.name, set())
        for column in self.flow.target.columns:
            if column.name not in exempt and column.name != self.key:
                yield column.name, self._other(column.sql_type)

    def _other(self, kind):
        number = self.random.randint(1, 9)
        return {
            "uuid": f"'{uuid.UUID(int=self.random.getrandbits(128))}'::uuid",
            "varchar": f"left('{number}' || coalesce(t.{{0}}, ''), {kind.sizes[0] if kind.sizes else 0})",
            "date": f"date '1801-01-0{number}'",
            "timestamptz": f"coalesce(t.{{0}}, 'epoch') - interval '{number} microseconds'",
            "numeric": f"coalesce(t.{{0}}, 0) + CASE WHEN t.{{0}} > 0.5 THEN -0.0{number} ELSE 0.0{number} END",
            "jsonb": f"jsonb_build_array(t.{{0}}, {number})",
            "boolean": "NOT coalesce(t.{0}, false)",
            "integer": f"coalesce(t.{{0}}, 0) + {number}",
            "bigint": f"coalesce(t.{{0}}, 0) + {number}",
        }[kind.base]

    def plant(self):
        """Everything that makes sense for the kind of flow."""
        for column, expression in self.damaged_columns():
            self.change(column, expression.format(column))
        for _ in range(2):
            self.remove()
        if not isinstance(self.flow, AppendFlow | MatchFlow):
            self.add()
        if not isinstance(self.flow, AppendFlow | MatchFlow | RankedFlow):
            self.swap()
        return self.planted


def _plain(name):
    return "".join(name.split()).lower()
