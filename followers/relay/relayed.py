"""One shard on its way from the ledger to the sink: stands by, takes it, writes it, a page at a time.

While the last page is written the next one is asked for: so what is sold then waits less. Of a shard that is behind it
is asked for when those before stand in the sink. A sink that is away costs a page of each shard, of one shard
PAGES_TOGETHER, and the backlog stays in the log.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from followers.log.follower import PAGE, Rewritten
from followers.log.ledger import Ledger, LedgerAway
from followers.relay.behind import Behind
from followers.relay.message import Batch
from followers.relay.pages import Pages
from followers.relay.planning import Planning
from followers.relay.progress import Progress, State
from followers.relay.resuming import Ahead, Filling, Following, Rewriting, resume
from followers.relay.sink import Sink, SinkAway, SinkEmpty, SinkRefused, Superseded, TooLarge, Writer
from followers.relay.standing_by import StandingBy
from wire.messages import LevelState

LOOK_S = 1.0
"""Between two looks of who stands by."""
LEDGER_AGAIN_S = 1.0
SINK_AGAIN_S, SINK_AGAIN_S_MAX = 0.25, 30.0
"""The first wait for a sink that is away, twice as long each time; half of it is drawn."""
STOPPED_S = 60.0
"""Until it is tried again what somebody has to mend at the broker."""
PAGES_TOGETHER = 5
"""Of a shard that is behind, one at a time, for a sink that keeps levels apart: it is told each level once for all of
them."""
LEVELS_PAGE = 1_000
"""As many as whoever is no hub may ask for."""

Answer = TypeVar("Answer")
Heads = Callable[[], Awaitable[tuple[str, dict[int, int]]]]
"""Epoch and heads, not older than a look."""

log = logging.getLogger(__name__)


class Turns(NamedTuple):
    """Of all shards of a relay, whose memory grows with what they do at once: how many may read all levels, and how
    many may write several pages together while they are behind; and which are."""

    reading_levels: asyncio.Semaphore
    together: asyncio.Semaphore
    behind: Behind


class RelayedShard:
    def __init__(
        self,
        ledger: Ledger,
        sink: Sink,
        source: str,
        shard: int,
        shards: int,
        heads: Heads,
        turns: Turns,
    ) -> None:
        self.progress = Progress(shard)
        self._shards = shards
        self._ledger = ledger
        self._sink = sink
        self._source = source
        self._shard = shard
        self._heads = heads
        self._turns = turns
        self._standing_by = StandingBy(random.random)
        self._tries = 0
        self._together = PAGE * (PAGES_TOGETHER if sink.levels_apart else 1)
        self._events_max = self._together
        """Of one write: half as many after each that is not kept, down to one, so that what is too much for the sink is
        not tried without end; a quarter more after each that is."""

    async def run(self) -> None:
        """Until cancelled. Raises SettingsError if the key is no good."""
        mended = True
        while True:
            try:
                if not mended:
                    await self._sink.prepare(self._shards)
                    mended = True
                await self._stand_by()
                async with self._sink.writer(self._shard) as writer:
                    try:
                        await self._write(writer)
                    finally:
                        self._turns.behind.left(self._shard)
            except Rewritten:
                continue  # to where what stands in the sink is compared with the epoch that is now
            except Superseded:
                self._standing_by.was_thrown_out()
                self.progress.superseded += 1
                log.info("another relay has taken the shard shard=%d", self._shard)
            except LedgerAway as error:
                self._say(State.LEDGER_AWAY, str(error))
                await asyncio.sleep(LEDGER_AGAIN_S)
            except SinkAway as error:
                self._say(State.SINK_AWAY, str(error))
                mended = mended and not isinstance(error, SinkEmpty)
                await self._see_what_waits()
                await asyncio.sleep(self._backoff_s())
            except (TooLarge, SinkRefused) as error:
                self._say(State.STOPPED, str(error))
                mended = False
                await asyncio.sleep(STOPPED_S)

    async def _stand_by(self) -> None:
        """Until it is ours to take."""
        progress = self.progress
        while True:
            checkpoint = await self._sink.last(self._shard)
            epoch, heads = await self._heads()
            head = heads[self._shard]
            same = checkpoint is not None and checkpoint.epoch == epoch
            progress.seen(checkpoint.seq if checkpoint and same else 0, head, time.time())
            if self._standing_by.takes(asyncio.get_running_loop().time(), checkpoint, epoch, head):
                return
            self._say(State.STANDING_BY, None)
            await asyncio.sleep(LOOK_S)

    async def _write(self, writer: Writer) -> None:
        """Raises Rewritten, Superseded and other SinkErrors, LedgerAway."""
        epoch = (await self._ledger.shards())["epoch"]
        checkpoint = await writer.claim(epoch)
        self._standing_by.wrote(checkpoint)
        self.progress.claims += 1
        answer = await self._asked(self._ledger.shards)
        if answer["epoch"] != epoch:
            raise Rewritten(answer["epoch"])
        head = next(one["head"] for one in answer["shards"] if one["shard"] == self._shard)
        planning = Planning(self._source, epoch, self._shard, levels_apart=self._sink.levels_apart)
        going_on = resume(checkpoint, epoch, head, levels_apart=self._sink.levels_apart)
        if isinstance(going_on, Ahead):
            raise SinkRefused(str(going_on))
        self._say(State.WRITING, None)
        match going_on:
            case Filling(head, seq):
                self._turns.behind.is_now(self._shard, behind=True)
                async with self._turns.reading_levels:
                    await self._fill(writer, planning, epoch, going_on)
                start = Following(seq, head)
            case Rewriting(head):
                # nothing is told before its turn: another relay may take the shard meanwhile, and would tell it again
                self._turns.behind.is_now(self._shard, behind=True)
                async with self._turns.reading_levels:
                    await self._rewrite(writer, planning, epoch, head)
                start = Following(head, head)
            case Following() as start:
                pass
        self.progress.seq = start.seq
        self._turns.behind.is_now(self._shard, behind=False)
        await self._follow(writer, planning, epoch, start)

    async def _follow(self, writer: Writer, planning: Planning, epoch: str, start: Following) -> None:
        log.info("shard is written epoch=%s shard=%d seq=%d", epoch, self._shard, start.seq)
        behind = False
        async with Pages(self._ledger, epoch, self._shard, start.seq) as pages:
            while True:
                together = behind and self._events_max > PAGE and not self._turns.together.locked()
                async with self._turns.together if together else nullcontext():
                    events_max = self._events_max if together else min(self._events_max, PAGE)
                    page = await self._asked(partial(pages.next, events_max))
                    self._say(State.WRITING, None)
                    self.progress.read(page.events, page.head)
                    if not page.events:
                        self._tries = 0
                        await writer.rest()
                        continue
                    behind = page.events[-1].level.seq < page.head
                    if not behind:
                        pages.look_ahead(min(self._events_max, PAGE))
                    await self._put(writer, planning.changes(page.events, start.levels), page.events[-1].level)
                    self._events_max = min(self._events_max + 1 + self._events_max // 4, self._together)
                    self._turns.behind.is_now(self._shard, behind=behind)

    async def _fill(self, writer: Writer, planning: Planning, epoch: str, filling: Filling) -> None:
        told = 0
        async for rows in self._levels(epoch):
            await self._put(writer, planning.filling(rows, filling, told))
            told += len(rows)
        await self._put(writer, planning.filled(filling))

    async def _rewrite(self, writer: Writer, planning: Planning, epoch: str, head: int) -> None:
        log.warning("history was rewritten, all levels are told anew epoch=%s shard=%d", epoch, self._shard)
        self.progress.rewritten += 1
        await self._put(writer, planning.rewritten(head))
        told = 0
        async for rows in self._levels(epoch):
            await self._put(writer, planning.retold(rows, head, told))
            told += len(rows)
        await self._put(writer, planning.complete(head))

    async def _levels(self, epoch: str) -> AsyncIterator[list[LevelState]]:
        """All of this shard, a page of them at once: so the checkpoint moves, and nobody takes the shard. Pages do not
        grow meanwhile: one that is not kept is told with all before it. Raises Rewritten."""
        after: str | None = None
        while True:
            limit = min(LEVELS_PAGE, self._events_max)
            page = await self._asked(partial(self._ledger.levels, after, limit, shard=self._shard))
            if page["epoch"] != epoch:
                raise Rewritten(page["epoch"])
            if page["levels"]:
                yield [msgspec.convert(row, LevelState) for row in page["levels"]]
            after = page["next"]
            if after is None:
                return

    async def _put(self, writer: Writer, batch: Batch, last: LevelState | None = None) -> None:
        before = self._standing_by.ours
        self._standing_by.wrote(*before, *batch.parts(self._sink.window), batch.checkpoint)
        try:
            await writer.write(batch)
        except SinkAway:
            self._events_max = max(1, self._events_max // 2)
            raise
        self._standing_by.wrote(batch.checkpoint)
        self._tries = 0
        self.progress.wrote(len(batch.messages) + len(batch.levels), batch.checkpoint.seq, last)
        self._say(State.WRITING, None)

    async def _see_what_waits(self) -> None:
        """Where nothing can be written nothing is read, and the backlog would be told as it was then."""
        with suppress(LedgerAway):
            _, heads = await self._heads()
            self.progress.waits(heads[self._shard], time.time())

    async def _asked(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Waits for the ledger, and keeps the shard meanwhile."""
        while True:
            try:
                return await ask()
            except LedgerAway as error:
                self._say(State.LEDGER_AWAY, str(error))
                await asyncio.sleep(LEDGER_AGAIN_S)

    def _backoff_s(self) -> float:
        most_s = min(SINK_AGAIN_S * (1 << self._tries), SINK_AGAIN_S_MAX)
        self._tries = min(self._tries + 1, 16)
        return most_s * (0.5 + random.random() / 2)

    def _say(self, state: State, why: str | None) -> None:
        was = self.progress.why
        if self.progress.are(state, why):
            if why is not None:
                log.warning("shard is not written shard=%d reason=%r", self._shard, why)
            elif was is not None:
                log.info("shard goes on shard=%d state=%s", self._shard, state)
