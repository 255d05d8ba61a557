"""What can happen to a worker's folder of tables while it is down. Every partition is a folder of its own in it."""

import shutil
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from random import Random

RUBBISH = 2048


def delete(data: Path) -> None:
    """Lose the whole folder."""
    shutil.rmtree(data)


def damage_tables(data: Path) -> None:
    """Write rubbish into the middle of all table files: it shows when a block is read, not before."""
    for partition in _partitions(data):
        _in_files(partition, "*.sst", _overwrite)


def damage_bookkeeping(data: Path) -> None:
    """Damage the partitions in turn: rubbish in the manifest, in the log, in the pointer to the manifest; half a log."""
    ways = cycle([("MANIFEST-*", _overwrite), ("*.log", _overwrite), ("CURRENT", _overwrite), ("*.log", _halve)])
    for partition, (pattern, spoil) in zip(_partitions(data), ways, strict=False):
        _in_files(partition, pattern, spoil)


def _partitions(data: Path) -> list[Path]:
    found = sorted(data.rglob("*.db"))
    assert found, f"there are no tables below {data}"
    return found


def _in_files(partition: Path, pattern: str, spoil: Callable[[Path], None]) -> None:
    files = [file for file in partition.glob(pattern) if file.stat().st_size > 0]
    assert files, f"there is no {pattern} with something to lose in {partition}"
    for file in files:
        spoil(file)


def _overwrite(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as output:
        output.seek(max(0, size // 2 - RUBBISH // 2))
        output.write(Random(file.name).randbytes(min(RUBBISH, size)))


def _halve(file: Path) -> None:
    with file.open("r+b") as output:
        output.truncate(file.stat().st_size // 2)
