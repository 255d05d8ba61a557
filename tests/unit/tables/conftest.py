import asyncio
from collections import namedtuple

import faust
import pytest

from flows.eligibility_hints import ELIGIBILITY_HINTS
from tables.candidates import CandidateTable

Acknowledgement = namedtuple("Acknowledgement", "offset")
ChangelogRecord = namedtuple("ChangelogRecord", "key value offset")


class FakeBatch:
    """As large as aiokafka's by default: 512 KB."""

    def __init__(self):
        self.records = []
        self.size = 0

    def append(self, *, key, value, timestamp):
        self.size += len(key) + len(value or b"")
        if self.size > 512 * 1024 and self.records:
            return None
        self.records.append((key, value))
        return True

    def close(self):
        pass


class FakeChangelog:
    """A broker that keeps the changelog of each partition; other owners may append behind our back."""

    def __init__(self):
        self.logs = {}

    def create_batch(self):
        return FakeBatch()

    async def send_batch(self, batch, topic, *, partition):
        log = self.logs.setdefault(partition, [])
        base = len(log)
        for key, value in batch.records:
            log.append(ChangelogRecord(key, value, len(log)))
        answer = asyncio.get_running_loop().create_future()
        answer.set_result(Acknowledgement(base))
        return answer


@pytest.fixture
def changelog():
    return FakeChangelog()


@pytest.fixture
def make_table(tmp_path, changelog):
    def make(name):
        app = faust.App("test", broker="memory://", datadir=str(tmp_path / name), store="rocksdb://")
        app.finalize()
        app._create_directories()
        table = CandidateTable.declare(app, ELIGIBILITY_HINTS, cache_bytes=2**20)
        table.producer = lambda: changelog
        return table

    return make


@pytest.fixture
def table(make_table):
    return make_table("first")
