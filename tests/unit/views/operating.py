"""Operators of a made-up group of workers, and a desk that remembers what was ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.fernet import Fernet

from views.actions import NotDoneError, Order
from views.operators import Role, Roster, new_token
from views.protocols import Clock
from views.sessions import Sessions

KEY = Fernet.generate_key().decode()
ASHA, ASHAS_LINE = new_token("asha", Role.OPERATOR)
BINA, BINAS_LINE = new_token("bina", Role.ADMIN)
ROSTER = f"{ASHAS_LINE.line},{BINAS_LINE.line}"
HOURS = timedelta(hours=8)


def sessions(clock: Clock, roster: Roster | None = None, *, secure: bool = False) -> Sessions:
    return Sessions(roster or Roster(ROSTER), clock, [KEY], lifetime=HOURS, secure=secure)


@dataclass
class RememberingDesk:
    """Carries nothing out. With a ``refusal`` it says that instead."""

    orders: list[Order] = field(default_factory=list)
    notes: list[tuple[str | None, ...]] = field(default_factory=list)
    refusal: str | None = None

    @property
    def jobs(self) -> Sequence[str]:
        return ["scheme_master", "feedback"]

    async def perform(self, order: Order) -> str:
        if self.refusal is not None:
            raise NotDoneError(self.refusal)
        self.orders.append(order)
        return f"done: {order.action.title}"

    async def note(self, actor: str, role: str, origin: str, deed: str, problem: str | None = None) -> None:
        self.notes.append((actor, role, origin, deed, problem))
