"""The owner of a group forgets what it remembers of the group's removed rows, when a record of the command topic asks for it."""

from types import SimpleNamespace

import rocksdict

from flows.eligibility_hints import ELIGIBILITY_HINTS as FLOW
from schemas.headers import FORGET_HEADER
from schemas.message_key import message_key
from schemas.topics import changelog_topic
from tables.entry import entry_key, group_key, is_live
from tests.integration.streams.conftest import Log, apply, claim_of, family

HINTS = "SELECT scheme_code FROM eligibility_hints ORDER BY rank"


def commands(home, *, key=None, headers=((FORGET_HEADER, b"1"),)):
    log = Log(FLOW.command_topic)
    log.raw(None, key or message_key(FLOW, home), headers)
    return log.records


def kept(unit, home):
    """Key to whether it is of a row that stands."""
    ((_, entries),) = unit.applier.table.groups(0, [group_key(home)])
    return {key: is_live(entry) for key, entry in entries}


async def outcomes(citizen):
    return citizen.execute("SELECT applied, tombstones FROM sync.ledger WHERE topic = %s", (FLOW.command_topic,)).fetchone()


async def test_traces_of_removed_rows_go_from_table_and_changelog_and_rows_that_stand_stay(unit, claim, citizen, log, changelog):
    home, neighbour = family(), family()
    for number in (1, 2, 3):
        log.upsert(number, home)
    log.upsert(4, neighbour)
    log.delete(1, home)
    log.delete(3, home)
    log.delete(4, neighbour)
    await apply(unit, claim, log.records)
    await apply(unit, await claim_of(unit, topic=FLOW.command_topic), commands(home))
    assert kept(unit, home) == {entry_key(home, 2): True}
    assert kept(unit, neighbour) == {entry_key(neighbour, 4): False}
    assert {record.key: record.value for record in changelog.logs[0]}[entry_key(home, 3)] is None
    assert citizen.execute(HINTS).fetchall() == [("S2",)]
    assert await outcomes(citizen) == (1, 0)
    assert due_keys(unit) == {entry_key(home, 2), entry_key(neighbour, 4)}


def due_keys(unit):
    return {found.key for found in unit.applier.table.due(0, 2**62, 100)}


async def test_whoever_recovers_the_table_knows_nothing_of_them(unit, claim, log, changelog, make_unit):
    home = family()
    log.upsert(1, home)
    log.delete(1, home)
    await apply(unit, claim, log.records)
    await apply(unit, await claim_of(unit, topic=FLOW.command_topic), commands(home))
    heir = make_unit("heir")
    writes = rocksdict.WriteBatch(raw_mode=True)
    heir.applier.table.restored(0, changelog.logs[0], writes)
    heir.applier.table._db(0).write(writes)
    assert kept(heir, home) == {}


async def test_delete_and_wish_in_one_chunk_leave_nothing_and_a_repeated_wish_changes_nothing(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    log.delete(1, home)
    await apply(unit, claim, log.records)
    claimed = await claim_of(unit, topic=FLOW.command_topic)
    twice = [*commands(home), *[SimpleNamespace(**vars(each) | {"offset": 1}) for each in commands(home)]]
    await apply(unit, claimed, twice)
    assert kept(unit, home) == {}
    assert await outcomes(citizen) == (2, 0)


async def test_a_record_without_a_value_that_asks_for_nothing_is_a_tombstone(unit, claim, citizen, log):
    home = family()
    log.upsert(1, home)
    log.delete(1, home)
    log.raw(None, message_key(FLOW, home), ((FORGET_HEADER, b"1"),))  # not ours: whoever writes the source's topic may not ask
    await apply(unit, claim, log.records)
    bad_keys = [*commands(home, headers=()), *commands(home, key=b"{"), *commands(home, key=b'{"family_id":"x"}')]
    records = [SimpleNamespace(**vars(each) | {"offset": number}) for number, each in enumerate(bad_keys)]
    await apply(unit, await claim_of(unit, topic=FLOW.command_topic), records)
    assert kept(unit, home) == {entry_key(home, 1): False}
    assert await outcomes(citizen) == (0, 3)


async def test_the_changelog_has_the_name_by_which_operators_are_told_of_it(unit):
    assert unit.applier.table.changelog_topic_name == changelog_topic("test", FLOW)
