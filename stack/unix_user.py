"""The unprivileged user under which PostgreSQL runs when the stack is started by root (PostgreSQL refuses root)."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

UNPRIVILEGED = "nobody"  # exists on every Debian machine, so no account has to be made


@dataclass(frozen=True)
class UnixUser:
    """A user of this machine by number."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Give `path` (not what is in it) to this user."""
        os.chown(path, self.uid, self.gid)


def postgres_user() -> UnixUser | None:
    """Return the user to drop to, or None when we are not root and PostgreSQL simply runs as ourselves."""
    if os.geteuid() != 0:
        return None
    account = pwd.getpwnam(UNPRIVILEGED)
    return UnixUser(account.pw_uid, account.pw_gid)
