"""Sessions in cookies: encrypted and signed by keys that all workers share, so that one sign-in serves all of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from views.operators import Operator, Role, Roster
from views.protocols import Clock

NOTICE_SECONDS: Final = 60
SIGN_IN_SECONDS: Final = 3600  # a sign-in form that is open for longer has to be loaded again

_PURPOSE: Final = b"smart-sync web sessions v1"

T = TypeVar("T")


@dataclass(frozen=True)
class Session:
    """``ends``: seconds since 1970. Without a ``name`` nobody has signed in: such a one only carries the form's token."""

    id: str
    csrf: str
    ends: int
    name: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class SignedIn:
    """A session of somebody who may act."""

    session: Session
    name: str
    role: Role


@dataclass(frozen=True)
class Notice:
    """What the next page tells: what was done."""

    text: str


class Sessions:
    """Makes, reads and ends sessions. ``secrets_of``: keys of the product, newest first; the cookies' derive from them."""

    def __init__(self, roster: Roster, clock: Clock, secrets_of: Sequence[str], *, lifetime: timedelta, secure: bool) -> None:
        self.roster = roster
        self._clock = clock
        self._keys = MultiFernet([Fernet(_derived(secret)) for secret in secrets_of])
        self._lifetime = lifetime
        self._secure = secure
        self._ended: dict[str, int] = {}

    def anonymous(self) -> Session:
        """Begin one for the sign-in form."""
        return Session(secrets.token_hex(16), secrets.token_urlsafe(32), self._now() + SIGN_IN_SECONDS)

    def begin(self, operator: Operator) -> Session:
        """Begin one for an operator; nothing of an earlier one lives on in it."""
        ends = self._now() + int(self._lifetime.total_seconds())
        return Session(secrets.token_hex(16), secrets.token_urlsafe(32), ends, operator.name, operator.fingerprint)

    def of(self, request: web.Request) -> Session | None:
        """The session of a request, unless it is forged, over or ended."""
        session = self._read(request, self._name("session"), Session)
        alive = session is not None and session.ends > self._now() and session.id not in self._ended
        return session if alive else None

    def signed_in(self, session: Session | None) -> SignedIn | None:
        """Who acts in a session: nobody any more when the token was taken away."""
        operator = self.roster.still(session.name, session.fingerprint) if session and session.name else None
        return SignedIn(session, operator.name, operator.role) if session and operator else None

    def end(self, session: Session) -> None:
        """Accept it no more on this worker, whoever has a copy of the cookie."""
        now = self._now()
        self._ended = {id_: ends for id_, ends in self._ended.items() if ends > now} | {session.id: session.ends}

    def keep(self, response: web.StreamResponse, session: Session) -> None:
        """Give it to the browser. It is forgotten when the browser closes, and is over after hours."""
        self._set(response, "session", session)

    def forget(self, response: web.StreamResponse) -> None:
        """Take it from the browser."""
        self._drop(response, "session")

    def tell(self, response: web.StreamResponse, text: str) -> None:
        """Have the next page say something."""
        self._set(response, "notice", Notice(text), max_age=NOTICE_SECONDS)

    def told(self, request: web.Request) -> str | None:
        """What this page shall say."""
        notice = self._read(request, self._name("notice"), Notice)
        return notice.text if notice else None

    def forget_notice(self, response: web.StreamResponse) -> None:
        """It was said."""
        self._drop(response, "notice")

    def _now(self) -> int:
        return int(self._clock().timestamp())

    def _name(self, what: str) -> str:
        return f"__Host-sync-{what}" if self._secure else f"sync-{what}"

    def _set(self, response: web.StreamResponse, what: str, value: Session | Notice, max_age: int | None = None) -> None:
        sealed = self._keys.encrypt(msgspec.json.encode(asdict(value))).decode()
        response.set_cookie(
            self._name(what), sealed, path="/", max_age=max_age, secure=self._secure, httponly=True, samesite="Strict"
        )

    def _drop(self, response: web.StreamResponse, what: str) -> None:
        response.del_cookie(self._name(what), path="/", secure=self._secure, httponly=True, samesite="Strict")

    def _read(self, request: web.Request, name: str, kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(self._keys.decrypt(request.cookies.get(name, "").encode(errors="replace")), type=kind)
        except (InvalidToken, msgspec.DecodeError):
            return None


def _derived(secret: str) -> bytes:
    """A key of its own: what it seals opens nothing else."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256))
