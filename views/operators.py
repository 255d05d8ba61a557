"""Who may do what through the web view: tokens of operators, known by their hashes only.

A token is 256 random bits, so a plain SHA-256 is enough: there is nothing to guess, and nothing slow to be made to compute.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

_LINE: Final = re.compile(r"(?P<name>[A-Za-z0-9._@-]{1,64}):(?P<role>[a-z]+):(?P<digest>[0-9a-f]{64})")
_BYTES: Final = 32
_FINGERPRINT: Final = 16


class Role(StrEnum):
    """An admin may all that an operator may, and what cannot be undone."""

    OPERATOR = "operator"
    ADMIN = "admin"

    def may(self, needed: Role) -> bool:
        """Whether this role is enough."""
        return self is needed or self is Role.ADMIN


@dataclass(frozen=True)
class Operator:
    """One token of a person. ``digest``: SHA-256 of the token, in hexadecimal digits."""

    name: str
    role: Role
    digest: str

    @property
    def fingerprint(self) -> str:
        """Names the token in a session, which ends when the token is taken away."""
        return self.digest[:_FINGERPRINT]

    @property
    def line(self) -> str:
        """The line to configure."""
        return f"{self.name}:{self.role}:{self.digest}"


def new_token(name: str, role: Role) -> tuple[str, Operator]:
    """Make a token, and what is kept of it; raises ``ValueError`` for a name that no line can hold."""
    token = secrets.token_urlsafe(_BYTES)
    operator = Operator(name, role, digest(token))
    if _LINE.fullmatch(operator.line) is None:
        raise ValueError("a name has 1 to 64 letters, digits, dots, dashes, underscores and @")
    return token, operator


def digest(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class Roster:
    """All operators: those of the setting and those of the file, which is read again when it has changed.

    A line that is wrong lets nobody in and keeps no worker from working: the log says which line it is, never what it holds.
    """

    def __init__(self, inline: str = "", file: Path | None = None) -> None:
        self._inline = tuple(_parse(inline.replace(",", "\n"), "SYNC_WEB__OPERATORS"))
        self._file = file
        self._stamp: tuple[int, int] | None = None
        self._from_file: tuple[Operator, ...] = ()

    def operators(self) -> tuple[Operator, ...]:
        """Everybody who may sign in now."""
        if self._file is not None:
            self._look(self._file)
        return self._inline + self._from_file

    def whose(self, token: str) -> Operator | None:
        """Compare with every token, in a time that tells nothing of how much is right."""
        given = digest(token)
        found = [operator for operator in self.operators() if hmac.compare_digest(operator.digest, given)]
        return found[0] if found else None

    def still(self, name: str, fingerprint: str) -> Operator | None:
        """The operator of a session, as long as the token stands."""
        return next((each for each in self.operators() if (each.name, each.fingerprint) == (name, fingerprint)), None)

    def _look(self, file: Path) -> None:
        try:
            about = file.stat()
            if (stamp := (about.st_mtime_ns, about.st_size)) != self._stamp:
                self._from_file, self._stamp = tuple(_parse(file.read_text(encoding="utf-8"), str(file))), stamp
        except (OSError, UnicodeDecodeError) as error:
            if self._from_file or self._stamp != (0, 0):
                log.warning(
                    "SYNC_WEB__OPERATORS_FILE: %s cannot be read, so nobody of it may sign in: %s", file, type(error).__name__
                )
            self._from_file, self._stamp = (), (0, 0)


def _parse(text: str, where: str) -> Iterator[Operator]:
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        parts = _LINE.fullmatch(line)
        if parts is None or parts["role"] not in list(Role):
            log.error("%s: line %d is not NAME:operator|admin:HASH, as `token new` prints it; it is left out", where, number)
            continue
        yield Operator(parts["name"], Role(parts["role"]), parts["digest"])
