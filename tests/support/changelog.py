"""An in-memory changelog and tables that write to it; system tests run the same tables over the real broker."""

import asyncio
from pathlib import Path
from typing import NamedTuple

import faust

from flows.eligibility_hints import ELIGIBILITY_HINTS
from tables.candidates import CandidateTable


class Acknowledgement(NamedTuple):
    offset: int


class ChangelogRecord(NamedTuple):
    key: bytes
    value: bytes | None
    offset: int


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


def make_table(folder: Path, changelog: FakeChangelog) -> CandidateTable:
    app = faust.App("test", broker="memory://", datadir=str(folder), store="rocksdb://")
    app.finalize()
    app._create_directories()
    table = CandidateTable.declare(app, ELIGIBILITY_HINTS, cache_bytes=2**20)
    table.producer = lambda: changelog
    return table
