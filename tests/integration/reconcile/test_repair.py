"""Damage is found, repaired by who owns the rows, and a second run has nothing to do."""

import asyncio
import os
from contextlib import asynccontextmanager, suppress

from flows.append_model import AppendFlow
from reconcile.run import STAYS
from tests.integration.reconcile.conftest import every_flow
from tests.support.planted import Planter


def drawn_seed():
    """SYNC_TEST_SEED repeats a run."""
    return int(os.environ.get("SYNC_TEST_SEED") or int.from_bytes(os.urandom(4)))


@asynccontextmanager
async def rebuilding(worker, flow):
    task = asyncio.create_task(worker.rebuild_when_asked(flow))
    try:
        yield
    finally:
        while not task.done():  # Python 3.11 forgets a cancellation that comes when what is waited for has just come
            task.cancel()
            await asyncio.wait([task], timeout=0.1)
        with suppress(asyncio.CancelledError):
            await task


def found(progress, what):
    return {row.key for row in progress.rows if row.what == what}


def is_found(progress, key, column):
    """A damaged key column makes rows missing and extra; a swap may do that, too."""
    return any(row.key == key and (column in (None, *row.columns) or row.what != "different") for row in progress.rows)


@every_flow
async def test_planted_damage_is_found_repaired_and_gone(flow, databases, worker, reconcile):
    seed = drawn_seed()
    print(f"SYNC_TEST_SEED={seed}")
    source, target = (databases[side.table.database.value] for side in (flow.source, flow.target))
    planted = Planter(flow, source, target, seed).plant()
    dry = await reconcile(flow)
    assert found(dry, "missing") >= planted.missing
    assert found(dry, "extra") >= planted.extra
    assert [each for each in planted.different.items() if not is_found(dry, *each)] == []
    assert {row.key for row in dry.rows} == {*planted.missing, *planted.extra, *planted.different}
    assert (dry.repaired, dry.left, worker.sent) == (0, 0, [])
    async with rebuilding(worker, flow):
        done = await reconcile(flow, repairs=True)
    assert (done.missing, done.extra, done.different) == (dry.missing, dry.extra, dry.different)
    kept = [row for row in done.rows if row.outcome != "repaired"]
    assert all(isinstance(flow, AppendFlow) and row.what == "different" and row.reason == STAYS for row in kept)
    sent = len(worker.sent)
    again = await reconcile(flow, repairs=True)
    assert (again.differing, len(worker.sent)) == (len(kept), sent)
    assert kept or again.violations == []
