"""Follows the ledger's log, shard by shard: what is new is counted, added up and kept for the live tail."""

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Any

from console.following.ledger import WAIT_S, Ledger
from console.moments import seconds_of
from console.watched.audit import Audit
from console.watched.log_tail import LogTail
from console.watched.paces import Paces
from console.watched.throughput import Throughput
from server.http.ledger_api import LedgerAway

PAGE = 1_000
BEFORE = 500
"""Events of each shard that are read at the start, so that the tail does not begin empty."""
BETWEEN_S = 0.25
"""Between two answers of a shard on which much happens: the log is as late as this, and asked for four times a second
at most."""
AGAIN_S = 1.0

log = logging.getLogger(__name__)


class Log:
    """What was heard so far. ``epoch``: of the history that it is."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.since_s = time.time()
        self.epoch: str | None = None
        self._ledger_away: str | None = "the log was not read yet"
        self._shards_away: dict[int, str] = {}
        self._begin()

    def _begin(self) -> None:
        now = time.time()
        self.since_s = now
        self.tail = LogTail()
        self.paces = Paces(now)
        self.audit = Audit()
        self.throughput = Throughput(now)
        self.heads: dict[int, int] = {}

    @property
    def away(self) -> str | None:
        """Why the log is not followed now, or not all of it: then sums over all shards are too low."""
        return self._ledger_away or next(iter(self._shards_away.values()), None)

    async def run(self) -> None:
        """Until cancelled. Raises SettingsError if the key is no good."""
        while True:
            try:
                shards = await self._ledger.shards()
                await self._follow(shards)
            except LedgerAway as error:
                self._lost(None, str(error))
            await asyncio.sleep(AGAIN_S)

    async def _follow(self, shards: Mapping[str, Any]) -> None:
        """Until history is another one. What was followed before within the same history goes on where it was."""
        if self.epoch != shards["epoch"] or any(
            one["head"] < self.heads.get(one["shard"], 0) for one in shards["shards"]
        ):
            self._begin()
            self.epoch = shards["epoch"]
            self.heads = {one["shard"]: max(0, one["head"] - BEFORE) for one in shards["shards"]}
        if self._ledger_away is not None:  # until each of them was heard
            self._shards_away = dict.fromkeys(self.heads, self._ledger_away)
            self._ledger_away = None
        changed = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            following = [
                tasks.create_task(self._follow_shard(one["shard"], changed), name=f"shard {one['shard']}")
                for one in shards["shards"]
            ]
            await changed.wait()
            for task in following:
                task.cancel()

    async def _follow_shard(self, shard: int, changed: asyncio.Event) -> None:
        while not changed.is_set():
            try:
                wait_s = 0.0 if shard in self._shards_away else WAIT_S  # a quiet shard says at once that it is there
                answer = await self._ledger.events(shard, self.heads[shard], PAGE, wait_s)
            except LedgerAway as error:
                self._lost(shard, str(error))
                await asyncio.sleep(AGAIN_S)
                continue
            if answer["epoch"] != self.epoch or answer["head"] < self.heads[shard]:
                changed.set()
                return
            if self._shards_away.pop(shard, None) is not None and self.away is None:
                log.info("the log is followed")
            self._heard(shard, answer["events"])
            if len(answer["events"]) < PAGE:
                await asyncio.sleep(BETWEEN_S)

    def _heard(self, shard: int, events: list[dict[str, Any]]) -> None:
        now = time.time()
        for event in events:
            committed_s = seconds_of(event["committed_at"])
            self.audit.check(event, committed_s)
            self.paces.count(event, committed_s)
            if committed_s >= self.since_s:
                self.throughput.count(event, now)
        self.tail.add(events)
        if events:
            self.heads[shard] = events[-1]["seq"]

    def _lost(self, shard: int | None, reason: str) -> None:
        """``shard``: None of all."""
        if self.away is None:
            log.warning("the log is not followed reason=%r", reason)
        if shard is None:
            self._ledger_away = reason
        else:
            self._shards_away[shard] = reason
