"""Public keys by their ids: fixed ones, and those that are fetched, kept and fetched again."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from server.errors import KeysUnavailable
from server.tokens.key_set import BadKeySet, PublicKey, read_key_set

FETCH_S = 5.0
"""For one answer of an issuer."""
REFRESH_S = 300.0
"""A key that the issuer has withdrawn proves nothing after this."""
AGAIN_S = 30.0
"""An unknown id may be a new key. However many tokens name unknown ids, the issuer is asked no oftener than this."""
RETRY_S = 5.0
"""After a failure while there are no keys at all; else ``AGAIN_S``."""
KEEP_S = 24 * 3600.0
"""How long the last good keys are used while the issuer cannot be reached."""
SPREAD = 0.1
"""A part of ``refresh_s``, by chance: processes that start together should not fetch together for ever."""

log = logging.getLogger(__name__)


class Keys(Protocol):
    """The public keys of one issuer."""

    async def find(self, key_id: str) -> PublicKey | None:
        """None: there is no such key. Raises KeysUnavailable."""

    async def run(self) -> None:
        """Until cancelled."""


class FixedKeys:
    """Keys that stay the same for the life of the process."""

    def __init__(self, keys: Mapping[str, PublicKey]) -> None:
        self._keys = keys

    async def find(self, key_id: str) -> PublicKey | None:
        return self._keys.get(key_id)

    async def run(self) -> None:
        """There is nothing to do."""


class FetchedKeys:
    """``run`` alone fetches, so there is never more than one fetch at a time; ``find`` waits for that one.

    ``issuer`` names it in the log. ``fetch`` raises KeysUnavailable. ``fetches`` and ``failures`` are counts.
    """

    def __init__(
        self,
        issuer: str,
        fetch: Callable[[], Awaitable[bytes]],
        *,
        refresh_s: float = REFRESH_S,
        again_s: float = AGAIN_S,
        keep_s: float = KEEP_S,
    ) -> None:
        self.fetches = 0
        self.failures = 0
        self._issuer = issuer
        self._fetch = fetch
        self._refresh_s = refresh_s
        self._again_s = again_s
        self._keep_s = keep_s
        self._clock = asyncio.get_running_loop().time
        self._keys: dict[str, PublicKey] = {}
        self._good_at: float | None = None
        self._failing = True
        self._fetching = True
        self._asked_at: float | None = None
        self._wanted = asyncio.Event()
        self._done = asyncio.Event()

    async def find(self, key_id: str) -> PublicKey | None:
        key, answered = self._held(key_id), True
        if key is None and self._ask():
            answered = await self._answered()
            key = self._held(key_id)
        if key is None and (self._failing or not answered):
            raise KeysUnavailable(f"the keys of {self._issuer} cannot be had now")
        return key

    async def run(self) -> None:
        while True:
            self._fetching = True
            self._wanted.clear()
            await self._refresh()
            self._fetching = False
            self._done.set()
            self._done = asyncio.Event()
            try:
                async with asyncio.timeout(self._pause_s()):
                    await self._wanted.wait()
            except TimeoutError:
                pass

    def _held(self, key_id: str) -> PublicKey | None:
        if self._good_at is None or self._clock() - self._good_at > self._keep_s:
            return None
        return self._keys.get(key_id)

    def _ask(self) -> bool:
        """Whether there is a fetch to wait for, perhaps one that begins now."""
        if self._fetching or self._wanted.is_set():
            return True
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < self._again_s:
            return False
        self._asked_at = now
        self._wanted.set()
        return True

    async def _answered(self) -> bool:
        try:
            async with asyncio.timeout(FETCH_S + 1):
                return await self._done.wait()
        except TimeoutError:
            return False

    async def _refresh(self) -> None:
        self.fetches += 1
        try:
            keys = read_key_set(await self._fetch())
        except (KeysUnavailable, BadKeySet) as error:
            self.failures += 1
            if not self._failing or self.fetches == 1:  # once, not every time
                log.warning("the keys of an issuer cannot be had issuer=%s reason=%r", self._issuer, str(error))
            self._failing = True
            return
        if self._failing or keys.keys() != self._keys.keys():
            log.info("the keys of an issuer were read issuer=%s keys=%d", self._issuer, len(keys))
        self._keys, self._good_at, self._failing = keys, self._clock(), False

    def _pause_s(self) -> float:
        if not self._failing:
            return self._refresh_s * random.uniform(1 - SPREAD, 1 + SPREAD)
        return min(self._again_s, RETRY_S) if self._good_at is None else self._again_s
