"""Whoever follows Debezium's topic, as `stockwire.streams` reads it: takes each event once, in order, none missing."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from stockwire.streams import CloudEvent, Follower, message_of
from tests.deploy.debezium.running import NAME, RunningEngine
from tests.harness.waiting import POLL_S

STILL_S = 300.0
"""It waits 10 s when it has lost its database, up to six times as long for a slot that is still in use, and a JVM
starts slowly beside a busy machine."""


class Reader:
    """``taken``: what was told, as ``written``, by the ids of a relay. ``repeated``: records that came again."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._follower = Follower()
        self.taken: dict[str, bytes] = {}
        self.repeated = 0

    async def until_more(self, events: int) -> None:
        """That were not taken before."""
        enough = len(self.taken) + events
        await self._until(lambda: len(self.taken) >= enough, f"{events} more events were told")

    async def until_all(self, heads: Mapping[int, int]) -> None:
        """That the ledger has, by shard."""
        await self._until(lambda: len(self.taken) >= sum(heads.values()), f"everything up to {heads} was told")

    async def _until(self, done: Callable[[], bool], what: str) -> None:
        """Raises AssertionError with its log and its threads once it has told nothing for STILL_S, or has ended."""
        told, since = -1, time.monotonic()
        while self._read() or not done():
            self._engine.check()
            if told != (told := len(self.taken) + self.repeated):
                since = time.monotonic()
            if time.monotonic() - since > STILL_S:
                self._engine.dump_threads()
                raise AssertionError(f"{STILL_S:.0f} s without a record, until {what}: {self._engine.said()}")
            await asyncio.sleep(POLL_S)

    def _read(self) -> bool:
        """Whether there was something."""
        before = len(self.taken) + self.repeated
        for record in self._engine.records():
            if record["topic"] == f"{NAME}.events":  # not its heartbeats
                self._take(record)
        return len(self.taken) + self.repeated > before

    def _take(self, record: Mapping[str, Any]) -> None:
        headers = [(name, text.encode()) for name, text in record["headers"].items()]
        read = CloudEvent.of_kafka(headers, record["value"].encode())
        event: Any = read.data
        assert record["partition"] == event["shard"]
        assert json.loads(record["key"]) == {"location": event["location"], "sku": event["sku"]}
        id_, told = read.attributes["id"], written(read.attributes, event)
        if self._follower.take(message_of(read)) is None:
            assert self.taken[id_] == told
            self.repeated += 1
        else:
            self.taken[id_] = told


def written(attributes: Mapping[str, str], event: Mapping[str, Any]) -> bytes:
    """To be compared, in a third of the memory."""
    return orjson.dumps([attributes, event], option=orjson.OPT_SORT_KEYS)
