"""What the target and our own tables hold, and what operators and other flows write there."""

from itertools import pairwise

from flows.application_events import APPLICATION_EVENTS as FLOW
from tests.oracle.application_events import Event

TARGET = FLOW.target.table.qualified
FACTS = f"SELECT {', '.join(Event._fields)} FROM {TARGET}"
TUPLES = f"SELECT xmin::text, ctid::text, t::text FROM {TARGET} AS t ORDER BY 3"
COUNTS = """
    SELECT next_offset, records_read, applied, superseded, filtered, parked, dead_lettered
    FROM sync.ledger WHERE topic = %s AND partition = 0
    """
PARKED = 'SELECT "offset", state FROM sync.parked ORDER BY id'


def learn(target, identity, code=None):
    target.execute("INSERT INTO sync.scheme_map VALUES (%s, %s)", (identity, code or f"S-{str(identity)[:8]}"))
    return identity


def codes(target):
    return dict(target.execute("SELECT scheme_id, scheme_code FROM sync.scheme_map").fetchall())


def facts(target):
    return {Event(*row) for row in target.execute(FACTS)}


def told(target):
    """(event type, time) in the order of time."""
    return [(fact.event_type, fact.event_timestamp) for fact in sorted(facts(target), key=lambda fact: fact.event_timestamp)]


def counts(target, topic=FLOW.topic):
    return target.execute(COUNTS, (topic,)).fetchone()


def rewind(target):
    target.execute("UPDATE sync.ledger SET next_offset = 0, rewound = rewound + next_offset")


def letters(target):
    return target.execute('SELECT "offset", reason, row_key, status FROM sync.dead_letter ORDER BY "offset"').fetchall()


def in_chunks(records, chance):
    cuts = [0, *sorted(chance.sample(range(1, len(records)), min(6, len(records) - 1))), len(records)]
    return [records[low:high] for low, high in pairwise(cuts)]


def parked(target):
    return target.execute(PARKED).fetchall()


def pass_deadline(target):
    target.execute("UPDATE sync.parked SET deadline = now() - interval '1 second'")


def letter_statuses(target):
    return [status for *_, status in letters(target)]


def agree(target):
    """What the ledger counts as parked is what waits: at one instant, for a transaction whose client died may still end."""
    with target.transaction():
        target.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        waiting = target.execute("SELECT topic, count(*) FROM sync.parked WHERE state = 'waiting' GROUP BY topic").fetchall()
        counted = target.execute("SELECT topic, parked FROM sync.ledger WHERE parked > 0").fetchall()
    assert dict(waiting) == dict(counted)
