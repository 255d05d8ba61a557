"""The codes of schemes in the warehouse, on the real database."""

from flows.scheme_map import SCHEME_MAP as FLOW
from tests.integration.streams.conftest import apply
from tests.integration.streams.mirrors import MirrorLog, mirror_claim, mirror_unit


async def test_a_scheme_is_known_from_its_first_event_on_follows_its_changes_and_outlives_its_delete(migrated, warehouse):
    unit, log = mirror_unit(FLOW, migrated), MirrorLog(FLOW)
    claim = await mirror_claim(unit)

    async def known():
        return warehouse.execute("SELECT scheme_code, deleted_at IS NULL FROM sync.scheme_map").fetchall()

    scheme = log.row(code="FIRST")
    log.upsert(scheme, "c")
    await apply(unit, claim, log.records)
    assert await known() == [("FIRST", True)]
    log.upsert(scheme | {"code": "SECOND"})
    await apply(unit, claim, log.records[1:])
    assert await known() == [("SECOND", True)]
    log.delete(scheme["id"])
    await apply(unit, claim, log.records[2:])
    assert await known() == [("SECOND", False)]
    log.upsert(scheme, "c")
    await apply(unit, claim, log.records[3:])
    assert await known() == [("FIRST", True)]
    await unit.pool.close()
