"""Who looks at the page that is being made: for the frame of every page, and for forms."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from views.operators import Role
from views.sessions import SignedIn


@dataclass
class Visitor:
    """``where``: path and query of the page, to come back to after signing in."""

    signed_in: SignedIn | None
    where: str
    notice: str | None
    told: bool = False

    def tell(self) -> str | None:
        """The notice, which is then out of the world."""
        self.told = self.notice is not None
        return self.notice

    def may(self, role: str) -> bool:
        """Whether a page may offer what needs this role."""
        return self.signed_in is not None and self.signed_in.role.may(Role(role))


#: Nobody, where a page is made for a file.
VISITOR: Final[ContextVar[Visitor | None]] = ContextVar("visitor", default=None)
