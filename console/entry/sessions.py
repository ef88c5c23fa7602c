"""Sessions of people: bounded in number and time, each bound to the key that opened it. Pure: times are handed in.

What a browser holds is random and told once; here only its hash is known.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

SESSIONS_MAX = 500
"""Beyond it the one that was opened first ends: people come again, a flood of them must not fill the memory."""

PER_KEY_MAX = 100
"""Of one key: whoever signs in again and again ends sessions of its own, and nobody else's."""


@dataclass(frozen=True, slots=True)
class Session:
    """``key``: the id of the API key that opened it. ``csrf``: what a page must say again to change anything.
    ``ends_s``: Unix time."""

    key: str
    owner: str
    may_act: bool
    csrf: str
    ends_s: float


class Sessions:
    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, secret: str, session: Session) -> None:
        self._sessions[_hash(secret)] = session
        own = [name for name, other in self._sessions.items() if other.key == session.key]
        if len(own) > PER_KEY_MAX:
            del self._sessions[own[0]]
        if len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)

    def of(self, secret: str | None, now: float) -> Session | None:
        """None: there is none, or it has ended."""
        if not secret:
            return None
        name = _hash(secret)
        session = self._sessions.get(name)
        if session is not None and session.ends_s <= now:
            del self._sessions[name]
            return None
        return session

    def close(self, secret: str) -> None:
        """Safe if there is none."""
        self._sessions.pop(_hash(secret), None)

    def keys(self) -> list[str]:
        """The ids of keys that opened one that is still there."""
        return sorted({session.key for session in self._sessions.values()})

    def end_keys(self, ended: Iterable[str]) -> None:
        gone = set(ended)
        for name in [name for name, session in self._sessions.items() if session.key in gone]:
            del self._sessions[name]


def says_csrf(session: Session, said: str | None) -> bool:
    return said is not None and _hash(session.csrf) == _hash(said)  # hashes: how long it takes says nothing of either


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
