"""All shards of one relay, each in a task of its own, over one ledger and one sink."""

import asyncio
import logging
import time

from followers.log.ledger import Ledger, LedgerAway
from followers.relay.behind import Behind
from followers.relay.progress import State
from followers.relay.relayed import LEDGER_AGAIN_S, LOOK_S, SINK_AGAIN_S_MAX, STOPPED_S, RelayedShard, Turns
from followers.relay.sink import Sink, SinkAway, SinkRefused
from wire.envelope import source_of

LEVELS_READ_MAX = 2
"""Shards that read all levels at the same time: it costs the ledger more than all else here."""
SINK_FIRST_S = 1.0
"""The first wait for a sink that is away at the start; twice as long each time."""

log = logging.getLogger(__name__)


class Relaying:
    """``shards``: empty before ledger and sink first answered. ``sink_up``: None before it was tried."""

    def __init__(self, ledger: Ledger, sink: Sink, system: str) -> None:
        self._ledger = ledger
        self._sink = sink
        self._source = source_of(system)
        self._heads: tuple[str, dict[int, int]] = ("", {})
        self._heads_read_s = 0.0
        self._reading_heads = asyncio.Lock()
        self.shards: dict[int, RelayedShard] = {}
        self.ledger_up = False
        self.sink_up: bool | None = None
        self._why: str | None = "nothing was asked yet"

    def why_not(self) -> list[str]:
        """Why something is not written, neither here nor by another relay; empty if all is."""
        if self._why is not None:
            return [self._why]
        return [f"shard {shard}: {why}" for shard, one in self.shards.items() if (why := one.progress.why) is not None]

    @property
    def sink_answers(self) -> bool | None:
        """None before it was tried: a ledger that is away says nothing of the sink."""
        return self.sink_up and not self._any(State.SINK_AWAY)

    @property
    def ledger_answers(self) -> bool:
        return self.ledger_up and not self._any(State.LEDGER_AWAY)

    async def run(self) -> None:
        """Until cancelled. Raises a group of SettingsError if the key is no good."""
        async with self._sink:
            shards = await self._prepared()
            turns = Turns(asyncio.Semaphore(LEVELS_READ_MAX), asyncio.Semaphore(1), Behind())
            async with asyncio.TaskGroup() as tasks:
                for shard in shards:
                    relayed = RelayedShard(
                        self._ledger, self._sink, self._source, shard, len(shards), self.heads, turns
                    )
                    self.shards[shard] = relayed
                    tasks.create_task(relayed.run(), name=f"shard {shard}")

    async def heads(self) -> tuple[str, dict[int, int]]:
        """Epoch and heads, of this moment or a look ago: shards that stand by ask once together. Raises LedgerAway."""
        async with self._reading_heads:
            if time.monotonic() - self._heads_read_s > LOOK_S / 2:
                answer = await self._ledger.shards()
                self._heads = answer["epoch"], {one["shard"]: one["head"] for one in answer["shards"]}
                self._heads_read_s = time.monotonic()
        return self._heads

    async def _prepared(self) -> list[int]:
        """The shards, as soon as ledger and sink are there and the sink will do."""
        wait_s = SINK_FIRST_S
        while True:
            try:
                _, heads = await self.heads()
                self.ledger_up = True
                await self._sink.prepare(len(heads))
                self.sink_up = True
                self._say(None)
                return list(heads)
            except LedgerAway as error:
                self._say(str(error))
                await asyncio.sleep(LEDGER_AGAIN_S)
            except SinkAway as error:
                self.sink_up = False
                self._say(str(error))
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, SINK_AGAIN_S_MAX)
            except SinkRefused as error:
                self.sink_up = False
                self._say(str(error))
                await asyncio.sleep(STOPPED_S)

    def _any(self, state: State) -> bool:
        return any(one.progress.state is state for one in self.shards.values())

    def _say(self, why: str | None) -> None:
        if why is not None and why != self._why:
            log.warning("nothing is written yet reason=%r", why)
        self._why = why
