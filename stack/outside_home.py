"""A place outside of the state folder, for root whose state folder lies where nobody else can go (under /root, say)."""

import hashlib
import shutil
from pathlib import Path

from stack.folder import PASSABLE
from stack.postgres_remains import kill_servers_in

OUTSIDE = Path("/var/lib/sync-local-stack")
OWNER_FILE = "owner"


def outside_home(owner: Path) -> Path:
    """Return the folder that belongs to the state folder `owner`; what deleted state folders left behind is removed."""
    OUTSIDE.mkdir(mode=PASSABLE, exist_ok=True)
    for home in OUTSIDE.iterdir():
        if not _owner_exists(home):
            remove_outside_home(home)
    home = OUTSIDE / hashlib.sha256(str(owner).encode()).hexdigest()[:16]
    home.mkdir(mode=PASSABLE, exist_ok=True)
    (home / OWNER_FILE).write_text(str(owner))
    return home


def remove_outside_home(home: Path) -> None:
    """Delete one such folder, with the servers that may still run in it."""
    kill_servers_in(home)
    shutil.rmtree(home, ignore_errors=True)


def _owner_exists(home: Path) -> bool:
    try:
        owner = (home / OWNER_FILE).read_text()
    except FileNotFoundError:
        return True  # another run is making or removing it just now
    return Path(owner).exists()
