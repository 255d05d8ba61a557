"""Making a new PostgreSQL cluster."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stack.errors import StackError
from stack.folder import PRIVATE
from stack.postgres_home import PostgresHome
from stack.stack_env import SUPERUSER
from stack.unix_user import UnixUser

INITDB_SECONDS = 120
OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # code point order and full Unicode case mapping, the same on every machine
    f"--username={SUPERUSER}",
    "--no-instructions",
)


def initialise(home: PostgresHome, name: str, password: str) -> None:
    """Make the cluster `name` with this superuser password, whole or not at all."""
    draft = home.data / f"{name}.draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=PRIVATE)
    _give(draft, home.user)
    with _password_file(home, name, password) as password_file:
        _initdb(home, draft, password_file)
    draft.replace(home.cluster(name))


def _initdb(home: PostgresHome, data: Path, password_file: Path) -> None:
    user = home.user
    done = subprocess.run(
        [str(home.programs / "initdb"), "-D", str(data), f"--pwfile={password_file}", *OPTIONS],
        cwd="/",
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=INITDB_SECONDS,
        user=None if user is None else user.uid,
        group=None if user is None else user.gid,
        extra_groups=None if user is None else [],
    )
    if done.returncode != 0:
        raise StackError(f"initdb could not make {data}: {done.stderr.strip() or done.stdout.strip()}")


@contextmanager
def _password_file(home: PostgresHome, name: str, password: str) -> Iterator[Path]:
    file = home.data / f"{name}.password"
    try:
        file.touch(mode=0o600)
        file.write_text(password)
        _give(file, home.user)
        yield file
    finally:
        file.unlink(missing_ok=True)


def _give(path: Path, user: UnixUser | None) -> None:
    if user is not None:
        user.own(path)
