"""Records of one partition, as the consumer hands them out and as Debezium writes them."""

import json
from datetime import datetime
from types import SimpleNamespace


class RecordLog:
    """Offsets begin at 0 and have no holes."""

    def __init__(self, topic, partition=0):
        self.topic, self.partition, self.records = topic, partition, []

    def raw(self, value, key=b"{}", headers=()):
        """Append a record of these bytes."""
        record = SimpleNamespace(
            topic=self.topic, partition=self.partition, offset=len(self.records), timestamp=1000 + len(self.records),
            key=key, value=value, headers=headers,
        )  # fmt: skip
        self.records.append(record)
        return record

    def debezium(self, key, op, before, after, *, lsn, at):
        """Append a change of a row, committed `at` that moment."""
        source = {"lsn": lsn, "ts_us": int(at.timestamp() * 1e6)}
        value = {"op": op, "before": before, "after": after, "source": source}
        return self.raw(json.dumps(value, default=_spelled).encode(), key)

    def truncated(self, lsn):
        """Append the TRUNCATE of the table."""
        return self.raw(json.dumps({"op": "t", "source": {"lsn": lsn, "ts_us": 0}}).encode(), None)


def _spelled(value):
    return value.isoformat() if isinstance(value, datetime) else str(value)
