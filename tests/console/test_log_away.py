"""The log is followed while all shards of it are: one that fails is not hidden by the answers of another one."""

import asyncio
from typing import Any

from console.following.ledger import Ledger
from console.following.log import Log
from server.http.ledger_api import LedgerAway
from tests.harness.waiting import wait_until

WHY = "the ledger answers 500"


class HalfALedger(Ledger):
    """Of two shards without events, of which the second one fails while ``broken``."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9", "sw_key")
        self.broken = True
        self.answered = 0

    async def shards(self) -> dict[str, Any]:
        return {"epoch": "e", "shards": [{"shard": shard, "head": 0} for shard in (0, 1)]}

    async def events(self, shard: int, after: int, limit: int, wait_s: float = 0.0) -> dict[str, Any]:
        if shard == 1 and self.broken:
            raise LedgerAway(WHY)
        self.answered += shard == 0
        return {"epoch": "e", "head": 0, "events": []}


async def test_a_shard_that_fails_is_not_hidden_by_another_that_answers() -> None:
    ledger = HalfALedger()
    followed = Log(ledger)

    async def heard_again() -> bool:
        return ledger.answered > 3

    async def followed_again() -> bool:
        return followed.away is None

    running = asyncio.ensure_future(followed.run())
    try:
        await wait_until(heard_again)
        assert followed.away == WHY
        ledger.broken = False
        await wait_until(followed_again)
    finally:
        running.cancel()
