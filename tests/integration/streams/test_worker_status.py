"""What workers say of themselves, on the real database."""

from sinks.pool import Pool
from sinks.worker_status import forget_silent

INSERT = """
INSERT INTO sync.worker (name, started_at, seen_at, state) VALUES (%s, now(), now() - %s * interval '1 hour', '{}')
"""


async def test_a_worker_that_was_silent_for_a_day_is_forgotten_and_no_other(migrated, citizen):
    for name, hours in (("gone", 25), ("quiet", 23), ("here", 0)):
        citizen.execute(INSERT, (name, hours))
    pool = Pool(migrated.citizen)
    async with pool.session() as session:
        await forget_silent(session, 24)
    await pool.close()
    assert citizen.execute("SELECT name FROM sync.worker ORDER BY name").fetchall() == [("here",), ("quiet",)]
