"""The ledger's promises, recomputed from its rows, the broker's logs and the dead letters."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.support.databases import Administrator

_OUTCOMES = ("applied", "superseded", "filtered", "parked", "dead_lettered", "tombstones")
_COLUMNS = ("topic", "partition", "first_offset", "next_offset", "records_read", "rewound", "skipped", *_OUTCOMES)
_ROWS = f"SELECT {', '.join(_COLUMNS)} FROM sync.ledger WHERE flow = %s"

Partition = tuple[str, int]


@dataclass(frozen=True)
class LedgerRow:
    """The position and the counts of one partition."""

    next_offset: int
    accounted: int
    read: int
    outcomes: Counter[str]


def ledger_rows(citizen: Administrator, flow: str) -> dict[Partition, LedgerRow]:
    """Read the positions of a flow."""
    found = (dict(zip(_COLUMNS, row, strict=True)) for row in citizen.rows(_ROWS, (flow,)))
    return {
        (row["topic"], row["partition"]): LedgerRow(
            next_offset=row["next_offset"],
            accounted=row["first_offset"] + row["records_read"] - row["rewound"] + row["skipped"],
            read=row["records_read"],
            outcomes=Counter({name: row[name] for name in _OUTCOMES}),
        )
        for row in found
    }


def lag(rows: Mapping[Partition, LedgerRow], ends: Mapping[Partition, int]) -> dict[Partition, int]:
    """Tell how many records each partition has before it; those that are level are left out."""
    behind = {partition: end - (rows[partition].next_offset if partition in rows else 0) for partition, end in ends.items()}
    return {partition: count for partition, count in behind.items() if count}


def discrepancies(rows: Mapping[Partition, LedgerRow], ends: Mapping[Partition, int]) -> list[str]:
    """Name every partition whose records did not each have exactly one outcome, or that is not at its end."""
    return [
        f"{partition}: {problem}"
        for partition, row in rows.items()
        for problem in (
            f"next offset {row.next_offset}, end {ends[partition]}" if row.next_offset != ends[partition] else None,
            f"{row.read} read, {row.outcomes.total()} outcomes" if row.read != row.outcomes.total() else None,
            f"{row.accounted} accounted for, end {ends[partition]}" if row.accounted != ends[partition] else None,
        )
        if problem
    ]
