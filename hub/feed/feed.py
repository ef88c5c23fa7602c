"""Keeps the fan-out in step: messages of the broker, the log wherever they left a gap, and what to believe in doubt."""

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from datetime import datetime

import msgspec

from hub.errors import LedgerRefused, LedgerUnavailable, Rewritten
from hub.fanout.counts import Counts
from hub.fanout.fanout import Fanout
from hub.feed.feed_parts import FeedParts
from hub.stock.shards import FRESH_S, Shards
from server.broker.subscription import Subscription
from server.tracing.span import Span
from wire.channels import revocation_channel, shard_channel
from wire.messages import Event, decode_batch, decode_revocation
from wire.trace import Trace

log = logging.getLogger(__name__)

WATCH_S = 0.05
POLL_SILENCE_S = 1.0  # of heartbeats; after this the log is polled, so that the lag stays below 2 s
POLL_WAIT_S = 1  # a long poll answers at once when there is something
PAUSE_MIN_S, PAUSE_MAX_S = 0.1, 1.0


class Feed:
    """``fanout`` is None until a ledger has told the epoch and the heads; after a rewrite of history it is another.

    ``started`` is set while there is a fan-out; ``judged`` when ``fresh`` has changed. The numbers are counts for the
    metrics.
    """

    def __init__(self, parts: FeedParts) -> None:
        self.fanout: Fanout | None = None
        self.started = asyncio.Event()
        self.fresh = False
        self._behind_s = 0.0
        self._judged_at = asyncio.get_running_loop().time()
        self.judged = asyncio.Event()
        self.transit_ms = 0
        self.counts = Counts(asyncio.get_running_loop().time)
        self.repairs = 0
        self.log_events = 0
        self.subscriptions = 0
        self.heartbeats = 0
        self.times_behind = 0
        self.confirmations = 0
        self.rewrites = 0
        self.unreadable = 0
        self.broker_up = False
        self._parts = parts
        self._ledger = parts.ledger
        self._prefix = parts.channel_prefix
        self._clock = asyncio.get_running_loop().time
        self._reading: dict[int, asyncio.Task[None]] = {}
        self._confirming: asyncio.Task[None] | None = None
        self._dropped = asyncio.Event()
        self._spans = parts.spans
        self._resync: Span | None = None

    async def run(self) -> None:
        """Until cancelled. Starts over after each rewrite of history."""
        while True:
            fanout = self.fanout = await self._start()
            if self._spans is not None and self._resync is not None:
                self._spans.end(self._resync)
                self._resync = None
            self._dropped = asyncio.Event()
            self.started.set()
            self._parts.schedule_flush()
            async with asyncio.TaskGroup() as tasks:
                broker = tasks.create_task(self._broker(len(fanout.shards)).run(), name="broker")
                watch = tasks.create_task(self._watch(fanout, tasks), name="watch")
                await self._dropped.wait()
                for task in (broker, watch, *self._reading.values(), *filter(None, [self._confirming])):
                    task.cancel()
            self._reading.clear()
            self._confirming = None

    @property
    def behind_s(self) -> float:
        """For how long ``fresh`` was false, since the process started."""
        return self._behind_s + (0 if self.fresh else self._clock() - self._judged_at)

    @property
    def lag_ms(self) -> int:
        """Fresh: how long the newest batch took from commit to here. Else: since when this hub may miss something."""
        if self.fresh:
            return self.transit_ms
        known_at = self.fanout.shards.known_at() if self.fanout is not None else self._clock()
        return int(1_000 * max(0.0, self._clock() - known_at))

    def rewrite(self, fanout: Fanout, error: Rewritten) -> None:
        """History is not the one this hub has read: drop everything, and everybody takes a new snapshot."""
        if fanout is not self.fanout:
            return
        log.error("history was rewritten, everything is dropped reason=%r", str(error))
        self.rewrites += 1
        if self._spans is not None:
            self._resync = self._spans.begin_resync(fanout.shards.epoch)
        self.fanout = None
        self._is(fresh=False, now=self._clock())
        self.started.clear()
        self._dropped.set()
        self._parts.rewritten(fanout)

    # the broker's listener

    def subscribed(self) -> None:
        log.info("subscribed to the broker")
        self.broker_up = True
        self.subscriptions += 1
        if self.fanout is not None:
            self.fanout.shards.doubt()
        self._parts.doubted()

    def unsubscribed(self) -> None:
        self.broker_up = False
        if self.fanout is not None:
            self.fanout.shards.doubt()

    def message(self, channel: str, data: bytes) -> None:
        try:
            if channel == revocation_channel(self._prefix):
                self._parts.revoked(decode_revocation(data).key)
                return
            batch = decode_batch(data)
        except msgspec.MsgspecError as error:
            self.unreadable += 1
            log.warning("a broker message cannot be read, its events come from the log reason=%r", str(error))
            return
        if batch.head is not None:
            self.heartbeats += 1
        fanout = self.fanout
        if fanout is not None:
            traces = fanout.delivery.traced.traces  # of the messages before it, until they are flushed
            before = len(traces)
            events = fanout.broker(batch, self._clock())
            self._took(events, traces[-1] if len(traces) > before else None)

    def _broker(self, shards: int) -> Subscription:
        channels = [shard_channel(self._prefix, shard) for shard in range(shards)]
        channels = [*channels, revocation_channel(self._prefix)]
        return Subscription(self._parts.redis_url, channels, self, "reading the log")

    def _took(self, events: Sequence[Event], trace: Trace | None = None) -> None:
        if events:
            committed_at = datetime.fromisoformat(events[-1].committed_at).timestamp()
            transit_s = max(0.0, time.time() - committed_at)
            self.transit_ms = int(1_000 * transit_s)
            self._parts.applied(len(events), transit_s, trace)
            self._parts.schedule_flush()

    # the log

    async def _start(self) -> Fanout:
        pause_s, told = PAUSE_MIN_S, False
        while True:
            try:
                heads = await self._ledger.heads()
                log.info("following the ledger epoch=%s shards=%d", heads.epoch, len(heads.shards))
                shards = Shards(heads.epoch, heads.by_shard(), self._clock())
                return Fanout(shards, self._parts.bounds, self.counts, heads.public)
            except (LedgerUnavailable, LedgerRefused) as error:
                if not told:
                    log.warning("no ledger can be read yet, trying again reason=%r", str(error))
                told = True
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    async def _watch(self, fanout: Fanout, tasks: asyncio.TaskGroup) -> None:
        """Every ``WATCH_S``: what has to be read, what has to be asked, and whether we are fresh."""
        shards = fanout.shards
        while True:
            now = self._clock()
            polling = self._polling(fanout, now)
            for sequence in shards.sequences:
                reading = self._reading.get(sequence.shard)
                if (polling or sequence.gap(now)) and (reading is None or reading.done()):
                    read = self._repair(fanout, sequence.shard)
                    self._reading[sequence.shard] = tasks.create_task(read, name=f"log {sequence.shard}")
            doubtful = shards.suspicious or fanout.confirming
            if doubtful and (self._confirming is None or self._confirming.done()):
                self._confirming = tasks.create_task(self._confirm(fanout), name="confirm")
            fanout.give_up(now)
            self._judge(fanout, now)
            await asyncio.sleep(WATCH_S)

    def _polling(self, fanout: Fanout, now: float) -> bool:
        return not self.broker_up or fanout.shards.silent(now, POLL_SILENCE_S)

    def _judge(self, fanout: Fanout, now: float) -> None:
        fresh = self.broker_up and not fanout.shards.silent(now, FRESH_S)
        if fresh != self.fresh:
            self._is(fresh=fresh, now=now)
            if not fresh:
                self.times_behind += 1
            self.judged.set()
            log.info("fresh") if fresh else log.warning("behind the ledger")

    def _is(self, *, fresh: bool, now: float) -> None:
        self._behind_s += 0 if self.fresh else now - self._judged_at
        self._judged_at = now
        self.fresh = fresh

    async def _repair(self, fanout: Fanout, shard: int) -> None:
        span = None if self._spans is None else self._spans.begin_repair(shard)
        before = self.log_events
        await self._read(fanout, shard)
        if self._spans is not None and span is not None:
            self._spans.end(span, events=self.log_events - before)

    async def _read(self, fanout: Fanout, shard: int) -> None:
        """The log of a shard until nothing is known to be missing; once more each time while the broker is away."""
        sequence = fanout.shards.sequences[shard]
        self.repairs += 1
        while fanout is self.fanout:
            now = self._clock()
            missing = sequence.gap(now) or sequence.last < sequence.head
            if not missing and not self._polling(fanout, now):
                return
            try:
                before = sequence.last
                await self._read_page(fanout, shard, 0 if missing else POLL_WAIT_S)
                if missing and sequence.last == before:
                    await asyncio.sleep(WATCH_S)  # the log has no more than that: what was heard may be on its way
            except (LedgerUnavailable, LedgerRefused) as error:
                log.warning("the log cannot be read shard=%d reason=%r", shard, str(error))
                await asyncio.sleep(PAUSE_MAX_S * random.uniform(0.5, 1))
                return
            except Rewritten as error:
                self.rewrite(fanout, error)
                return

    async def _read_page(self, fanout: Fanout, shard: int, wait_s: int) -> None:
        sequence = fanout.shards.sequences[shard]
        asked, lasts = sequence.asking(self._clock()), fanout.shards.lasts()
        page = await self._ledger.events(shard, lasts[shard], wait_s)
        if fanout is self.fanout:
            fanout.shards.confirm(page.epoch, {shard: page.head}, lasts)
            events = fanout.log(shard, page.head, page.events, asked, self._clock())
            self.log_events += len(events)
            self._took(events)

    async def _confirm(self, fanout: Fanout) -> None:
        """Ask the ledger whether history is still the one we read, and whether it knows positions ahead of us."""
        asked = fanout.shards.lasts()
        fanout.shards.suspicious = False
        self.confirmations += 1
        try:
            heads = await self._ledger.heads()
            if fanout is self.fanout:
                fanout.shards.confirm(heads.epoch, heads.by_shard(), asked)
                fanout.confirmed(heads.by_shard())
                self._parts.schedule_flush()
        except Rewritten as error:
            self.rewrite(fanout, error)
        except (LedgerUnavailable, LedgerRefused) as error:
            fanout.shards.suspicious = True
            log.warning("history cannot be confirmed reason=%r", str(error))
            await asyncio.sleep(PAUSE_MAX_S)
