"""A session begins with an API key, checked against the ledger, or with the one-time link of `stockwire up`; it ends
when its key does."""

import asyncio
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from console.entry.attempts import Attempts
from console.entry.sessions import Session, Sessions
from console.following.ledger import Ledger
from server.http.ledger_api import LedgerAway
from server.problems import Forbidden, RateLimited, Unauthorized, Unavailable
from wire.scopes import allows

SEE, ACT = "stock:read:*", "admin"
CHECK_EVERY_S = 2.0
"""For one question about the keys of all sessions: whoever's key is revoked is gone within 5 s."""
KEY_MAX = 8_192

log = logging.getLogger(__name__)


class SignIn:
    """``own_key``: of the console itself. ``link``: a file that holds the word of the one-time link; None: none.
    ``ended`` is called when sessions ended."""

    def __init__(
        self, ledger: Ledger, own_key: str, session_s: float, link: Path | None, ended: Callable[[], None]
    ) -> None:
        self.sessions = Sessions()
        self._ledger = ledger
        self._own_key = own_key
        self._session_s = session_s
        self._link = link
        self._ended = ended
        self._attempts = Attempts()
        self._at_the_link = asyncio.Lock()

    async def with_key(self, key: str, address: str) -> tuple[str, Session]:
        """The secret for the browser, and the session. Raises Unauthorized, Forbidden, RateLimited, Unavailable."""
        tried_s = self._admit(address)
        if not key or len(key) > KEY_MAX or not key.isascii():
            raise Unauthorized("this is no API key")
        opened = await self._open(key)
        self._attempts.succeeded(address, tried_s)
        return opened

    async def with_link(self, word: str, address: str) -> tuple[str, Session]:
        """The link works once, and still does where the ledger could not be asked. Raises as `with_key`."""
        tried_s = self._admit(address)
        async with self._at_the_link:  # of two who come at once, the second one finds no word any more
            try:
                kept = "" if self._link is None else self._link.read_text().strip()
            except OSError:
                kept = ""
            if not kept or not hmac.compare_digest(kept.encode(), word.encode()):
                raise Unauthorized("this link was used, or is of an earlier start: sign in with an API key")
            opened = await self._open(self._own_key, may_act=True)
            assert self._link is not None
            self._link.unlink(missing_ok=True)
        self._attempts.succeeded(address, tried_s)
        return opened

    async def run(self) -> None:
        """Ends sessions whose key is no good any more. Until cancelled."""
        while True:
            await asyncio.sleep(CHECK_EVERY_S)
            if keys := self.sessions.keys():
                try:
                    good = await self._ledger.good_keys(keys)
                except LedgerAway as error:
                    log.debug(
                        "keys of sessions could not be checked reason=%r", str(error)
                    )  # what is shown says so itself
                    continue
                if gone := set(keys) - good:
                    self.sessions.end_keys(gone)
                    self._ended()

    def _admit(self, address: str) -> float:
        """When it was tried."""
        now = time.monotonic()
        if (wait_s := self._attempts.wait_s(address, now)) > 0:
            raise RateLimited("one address", int(wait_s) + 1, 10, 60)
        self._attempts.tried(address, now)
        return now

    async def _open(self, key: str, *, may_act: bool | None = None) -> tuple[str, Session]:
        try:
            known = await self._ledger.key(key)
        except LedgerAway as error:
            raise Unavailable(f"the key cannot be checked: {error}") from error
        if not known.get("active"):
            raise Unauthorized("this key is unknown, revoked or over")
        if not allows(known["scopes"], SEE):
            raise Forbidden(SEE)
        session = Session(
            key=known["id"],
            owner=known["owner"],
            may_act=allows(known["scopes"], ACT) if may_act is None else may_act,
            csrf=secrets.token_urlsafe(24),
            ends_s=time.time() + self._session_s,
        )
        secret = secrets.token_urlsafe(32)
        self.sessions.open(secret, session)
        return secret, session
