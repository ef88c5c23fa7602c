"""Which owners' keys are good: for one that was revoked nothing is sent any more."""

import asyncio
import logging
import time

from followers.log.ledger import Ledger, LedgerAway
from followers.webhooks.leased import Held

EVERY_S = 2.0
TRUSTED_S = 5.0
"""How long an answer counts. While the ledger is away nothing is sent: it is not known for whom."""

log = logging.getLogger(__name__)


class Owners:
    """``run`` until cancelled; ``good`` in between."""

    def __init__(self, ledger: Ledger, held: Held, woken: asyncio.Event) -> None:
        """``woken`` is set whenever one becomes good that was not."""
        self._ledger = ledger
        self._held = held
        self._good: dict[str, float] = {}
        self._asked = asyncio.Event()
        self._woken = woken
        self.away: str | None = None

    def is_good(self, owner: str) -> bool:
        return time.monotonic() < self._good.get(owner, 0.0)

    def ask(self) -> None:
        """Now, and not when it is time: somebody new is there."""
        self._asked.set()

    async def run(self) -> None:
        """Raises SettingsError if our own key is no good."""
        while True:
            self._asked.clear()
            owners = {leased.endpoint.owner for leased in self._held.endpoints.values()}
            if owners:
                try:
                    await self._ask(owners)
                    self._say(None)
                except LedgerAway as error:
                    self._say(str(error))
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._asked.wait()
            except TimeoutError:
                continue

    async def _ask(self, owners: set[str]) -> None:
        asked_s = time.monotonic()
        good = await self._ledger.good_keys(sorted(owners))
        before, self._good = self._good, dict.fromkeys(good, asked_s + TRUSTED_S)
        if any(before.get(owner, 0.0) < asked_s for owner in good):
            self._woken.set()

    def _say(self, away: str | None) -> None:
        if (away is None) != (self.away is None):
            if away:
                log.warning("keys of owners cannot be checked reason=%r", away)
            else:
                log.info("keys of owners are checked")
        self.away = away
