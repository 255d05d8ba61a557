"""Partitions that nobody reads: their lag is as true as that of others."""

from datetime import UTC, datetime
from types import SimpleNamespace

from flows.registry import FLOWS
from metrics import catalogue
from metrics.ownership import LATE_SECONDS, Orphans, Ownership, every_partition, orphan_samples, ownership_samples
from sinks.operations.ownership import Place, Reported

NOW = 2_000_000.0
FLOW = FLOWS[0]
KEY = FLOW.name, FLOW.topics[0], 0


class Log:
    """Every partition holds 100 records, one a second, the last of them now."""

    def __init__(self, missing=()):
        self.missing, self.asked, self.start = set(missing), [], 0

    async def existing(self, topics):
        return set(topics) - self.missing

    async def start_offsets(self, partitions):
        return dict.fromkeys(partitions, self.start)

    async def end_offsets(self, partitions):
        return dict.fromkeys(partitions, 100)

    async def records_at(self, offsets, timeout):
        self.asked.append(dict(offsets))
        return {place: SimpleNamespace(timestamp=int((NOW - 99 + offset) * 1000)) for place, offset in offsets.items()}


def place(key, offset):
    return Place(*key, offset, datetime.fromtimestamp(NOW, UTC))


def ownership(*orphans, silent=0.0, offset=100):
    """All partitions have a reader but the orphans; all stand at the end of the log but the orphans."""
    keys = every_partition()
    held = [Reported(*key, silent) for key in keys if key not in orphans]
    return Ownership([silent], held, [place(key, offset if key in orphans else 100) for key in keys])


def value(samples, metric, key):
    return samples.values.get(metric, {}).get((key[0], key[1], str(key[2])))


async def test_what_has_a_reader_is_his_to_tell():
    log = Log()
    assert await Orphans(log).look(ownership()) == {}
    assert log.asked == []


async def test_an_orphan_that_is_level_with_the_log_has_no_lag():
    found = orphan_samples(await Orphans(Log()).look(ownership(KEY)), NOW)
    assert value(found, catalogue.LAG_SECONDS, KEY) == 0
    assert value(found, catalogue.LAG_RECORDS, KEY) == 0


async def test_the_lag_of_an_orphan_is_the_age_of_its_oldest_record_and_grows_without_a_look():
    orphans = Orphans(Log())
    facts = await orphans.look(ownership(KEY, offset=60))
    assert value(orphan_samples(facts, NOW), catalogue.LAG_RECORDS, KEY) == 40
    assert value(orphan_samples(facts, NOW), catalogue.LAG_SECONDS, KEY) == 39
    assert value(orphan_samples(facts, NOW + 7), catalogue.LAG_SECONDS, KEY) == 46


async def test_the_log_is_asked_once_per_offset():
    log = Log()
    orphans = Orphans(log)
    for offset in (60, 60, 70, 70):
        await orphans.look(ownership(KEY, offset=offset))
    assert log.asked == [{KEY[1:]: 60}, {KEY[1:]: 70}]


async def test_a_partition_that_was_never_read_waits_since_the_beginning_of_the_log():
    log = Log()
    log.start = 10
    unread = ownership(KEY)
    unread = Ownership(
        unread.silences, unread.reported, [each for each in unread.places if (each.flow, each.topic, each.partition) != KEY]
    )
    found = orphan_samples(await Orphans(log).look(unread), NOW)
    assert value(found, catalogue.LAG_RECORDS, KEY) == 90
    assert value(found, catalogue.LAG_SECONDS, KEY) == 89


async def test_partitions_of_a_worker_that_may_be_dead_are_looked_at_before_others_have_them():
    found = await Orphans(Log()).look(ownership(silent=LATE_SECONDS + 0.1))
    assert found.keys() == set(every_partition())


async def test_of_two_flows_at_two_offsets_of_one_partition_each_has_its_turn():
    log = Log()
    shared = [("one", "t", 0), ("two", "t", 0)]
    orphans = Orphans(log)
    late = {shared[0]: 50, shared[1]: 80}
    await orphans._learn(late)
    await orphans._learn(late)
    assert [orphans._since(key, late[key]) for key in shared] == [int((NOW - 49) * 1000), int((NOW - 19) * 1000)]


async def test_a_topic_that_does_not_exist_is_not_asked_for():
    log = Log(missing=[FLOW.topics[0]])
    assert KEY not in await Orphans(log).look(ownership(KEY))


def test_a_partition_is_owned_while_its_worker_reports():
    assert value(ownership_samples(ownership(KEY), NOW), catalogue.OWNED, KEY) == 0
    assert value(ownership_samples(ownership(), NOW), catalogue.OWNED, KEY) == 1
    assert value(ownership_samples(ownership(silent=11.0), NOW), catalogue.OWNED, KEY) == 0
    workers = ownership_samples(ownership(silent=11.0), NOW).values[catalogue.WORKERS]
    assert workers == {("alive",): 0, ("silent",): 1}


def test_the_source_time_is_that_of_the_ledger():
    assert value(ownership_samples(ownership(), NOW), catalogue.SOURCE_TIME, KEY) == NOW


async def test_of_a_ledger_that_cannot_be_read_no_lag_is_made_up():
    known = ownership()
    nobody = Ownership(known.silences, [], [], flows=())
    assert await Orphans(Log()).look(nobody) == {}
