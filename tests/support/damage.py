"""What can happen to a worker's folder of tables while it is down."""

import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

RUBBISH = 2048


def delete(data: Path) -> None:
    """Lose the whole folder."""
    shutil.rmtree(data)


def garble(pattern: str) -> Callable[[Path], None]:
    """Return a damage that writes rubbish into the middle of all files of the databases that match."""

    def damage(data: Path) -> None:
        files = [file for file in data.rglob(pattern) if file.stat().st_size > 0]
        assert files, f"there is no {pattern} below {data}"
        for file in files:
            _overwrite(file)

    return damage


def cut_off(pattern: str) -> Callable[[Path], None]:
    """Return a damage that halves all files of the databases that match, as a full disk or a crash of the machine does."""

    def damage(data: Path) -> None:
        files = [file for file in data.rglob(pattern) if file.stat().st_size > 0]
        assert files, f"there is no {pattern} below {data}"
        for file in files:
            with file.open("r+b") as output:
                output.truncate(file.stat().st_size // 2)

    return damage


def _overwrite(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as output:
        output.seek(max(0, size // 2 - RUBBISH // 2))
        output.write(Random(file.name).randbytes(min(RUBBISH, size)))
