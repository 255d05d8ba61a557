"""RocksDB's iterators end silently at a damaged block; ours must not."""

import asyncio
import uuid

import pytest

from tables.candidates import Change
from tables.entry import GROUP, LOWEST, entry_key, live, version_of
from tables.store import DiscardedStore, is_damage

ROWS = 20_000
LARGE = 50_000  # bytes: in a smaller file the damage would hit what is read at opening


@pytest.fixture
def damaged(make_table):
    table = make_table("damaged")
    family = str(uuid.uuid4())
    changes = [Change(entry_key(family, number), entry(number)) for number in range(ROWS)]
    staged = table.stage(0, changes, LOWEST)
    asyncio.run(written(table, staged))
    table._db(0).flush()
    folder = table.data.partition_path(0)
    asyncio.run(table.data.stop())
    large = [file for file in folder.glob("*.sst") if file.stat().st_size > LARGE]
    assert large
    for file in large:
        with file.open("r+b") as handle:
            for tenth in range(1, 10):  # Not the end, which is read at opening.
                handle.seek(file.stat().st_size * tenth // 10)
                handle.write(b"\xa5" * 50)
    return table, family


def entry(number):
    return live(
        version_of(1, number + 1), counts=True, score=1, time=number, expires_at=2**50, forget_at=2**51,
        item=f"S{number}", subject="", shown=b'"a":1' * 20,
    )  # fmt: skip


async def written(table, staged):
    append = await table.write(0, staged.entries, staged.standing, {})
    table.acknowledged(0, await append.acknowledged())


@pytest.mark.parametrize(
    "read",
    [
        lambda table, group: list(table.groups(0, [group])),
        lambda table, _: list(table.entries(0)),
        lambda table, _: table.due(0, 2**52, ROWS),
        lambda table, group: [table.read(0, [entry_key(str(uuid.UUID(bytes=group)), n)]) for n in range(0, ROWS, 50)],
    ],
    ids=["groups", "entries", "due", "read"],
)
def test_no_read_ends_silently_at_a_damaged_block(damaged, read):
    table, family = damaged
    with pytest.raises(Exception, match="Corruption") as caught:
        read(table, entry_key(family, 0)[GROUP])
    assert is_damage(caught.value)


def test_tables_that_were_thrown_away_are_not_begun_anew_by_lanes_that_still_run(make_table):
    """What they wrote would look complete to the next start, and the candidates before it would be missing for good."""
    table = make_table("thrown away")
    for partition in (0, 1):
        table._db(partition)
    table.discard_all()
    with pytest.raises(DiscardedStore):
        asyncio.run(written(table, table.stage(1, [], LOWEST)))
    assert not table.data.partition_path(0).exists()
    assert not table.data.partition_path(1).exists()
