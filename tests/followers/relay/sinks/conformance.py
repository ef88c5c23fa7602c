"""What every sink has to do, written once: a class of tests to inherit, and a ``place`` to give them.

class TestNats(Conformance):
    @pytest.fixture
    def place(self, ...) -> Place: ...
"""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple, Protocol

import pytest
from msgspec import structs

from followers.relay.message import Batch, Checkpoint
from followers.relay.planning import Planning
from followers.relay.sink import Sink, SinkAway, SinkRefused, Superseded, TooLarge, Writer
from tests.followers.relay.batches import logged
from tests.harness.brokers.broker import Broker
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.wire.streams.attributes import level_of

SHARD = 1
SHARDS = 2
EPOCH, LATER = "e1f0c2d4a6b8", "f2e1d3c5b7a9"
SOURCE = "/stockwire/test"
NAMES = ("shirt.red", "shirt>blue", "50%#1", "größe-ß", "日本")
"""Of skus: what routes could trip over."""
PAGE = 450
"""More than any sink writes at once."""


class Told(NamedTuple):
    """A message as a reader has it."""

    attributes: dict[str, str]
    data: bytes


class Place(Protocol):
    """Where one kind of sink writes, and nothing else does. ``broker``: may be killed."""

    @property
    def broker(self) -> Broker: ...

    def sink(self, *, structured: bool = False) -> Sink: ...

    async def read(self, shard: int) -> list[Told]:
        """All that readers are shown, in its order."""

    async def settle(self) -> None:
        """Returns when the broker would survive a kill with what was made there a moment ago."""

    async def spoil(self) -> str:
        """Puts something in the way that no sink can live with. Returns what has to be told of it."""

    large_bytes: int
    """Of a message's data: more than fits."""
    takes_back: bool
    """Whether a broker that was killed may end what it said is kept as if it had been aborted (decision 51)."""


class Conformance:
    async def test_a_page_is_read_back_in_order(self, place: Place) -> None:
        async with Open(place) as at:
            writer = await at.claims(EPOCH, None)
            await writer.write(at.page(1, PAGE))
            await writer.write(at.page(PAGE + 1, PAGE + 3))
            assert await at.sink.last(SHARD) == at.page(1, PAGE + 3).checkpoint
        told = await place.read(SHARD)
        messages = at.page(1, PAGE + 3).messages
        assert [one.data for one in told] == [message.data for message in messages]
        assert [one.attributes for one in told] == [message.attributes for message in messages]
        assert not await place.read(0)

    async def test_a_later_writer_goes_on(self, place: Place) -> None:
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 5))
        async with Open(place) as at:
            first = goes_on(await at.claimed(EPOCH), 5)
            await at.writer_.write(at.page(first, 8))
        assert dense(await place.read(SHARD), at.sink.repeats) == [*range(1, 9)]

    async def test_structured_messages_say_where_to_go_on(self, place: Place) -> None:
        async with Open(place, structured=True) as at:
            writer = await at.claims(EPOCH, None)
            await writer.write(at.page(1, 3))
            await writer.write(at.page(4, 6))
        async with Open(place, structured=True) as at:
            assert await at.sink.last(SHARD) == Checkpoint(EPOCH, 6)
            goes_on(await at.claimed(EPOCH), 6, not_before=3)

    async def test_a_paused_relay_that_wakes_leaves_no_mark(self, place: Place) -> None:
        """Its successor has written meanwhile, and goes on."""
        async with Open(place) as paused, Open(place) as at:
            await (await paused.claims(EPOCH, None)).write(paused.page(1, 5))
            first = goes_on(await at.claimed(EPOCH), 5)
            await at.writer_.write(at.page(first, 7))
            told = await superseded(paused.writer_, paused.page(6, 9))
            await at.writes_up_to(12)
            assert told or not at.sink.repeats
        assert dense(await place.read(SHARD), at.sink.repeats) == [*range(1, 13)]

    async def test_two_relays_at_once_leave_what_one_would(self, place: Place) -> None:
        async def relay(at: Open) -> None:
            async def claimed() -> tuple[Checkpoint | None]:
                return (await at.claimed(EPOCH),)

            first = 0
            while first <= 200:
                # What the other one writes this moment may not be readable yet: then it is asked again.
                (checkpoint,) = await wait_until(claimed, what="claimed", swallow=SinkAway)
                first = checkpoint.seq + 1 if checkpoint else 1
                with suppress(SinkAway):
                    while first <= 200 and not await superseded(at.writer_, at.page(first, first + 19)):
                        first += 20

        async with Open(place) as one, Open(place) as other:
            await asyncio.gather(relay(one), relay(other))
        told = dense(await place.read(SHARD), one.sink.repeats)
        assert told == [*range(1, len(told) + 1)]
        assert len(told) >= 200

    async def test_history_is_told_from_its_beginning_until_it_is_whole(self, place: Place) -> None:
        async with Open(place) as paused, Open(place) as at:
            await (await paused.claims(EPOCH, None)).write(paused.page(1, 3))
            assert (await at.claimed(LATER) or Checkpoint("", 0)).epoch == EPOCH
            await at.writer_.write(at.planning(LATER).rewritten(7))
            await at.writer_.write(at.planning(LATER).retold([level_of(change(LATER, 5))], 7, 0))
        async with Open(place) as again:
            half = await again.claimed(LATER)
            assert half is not None
            assert (half.epoch, half.complete) == (LATER, False)
            assert half.told
            planning = again.planning(LATER)
            for batch in (
                planning.rewritten(7),
                planning.retold([level_of(change(LATER, 5))], 7, 0),
                planning.complete(7),
            ):
                await again.writer_.write(batch)
            await again.writer_.write(again.page(8, 9, LATER))
        told = [kind_and_seq(one) for one in await place.read(SHARD)]
        rewritten, level = ("stockwire.history.rewritten.v1", 7), ("stockwire.level.v1", 7)
        assert told == [
            *(("stockwire.stock.adjust.v1", seq) for seq in (1, 2, 3)),
            *(rewritten, level, rewritten, level, ("stockwire.history.complete.v1", 7)),
            *(("stockwire.stock.adjust.v1", seq) for seq in (8, 9)),
        ]

    async def test_a_relay_that_slept_through_a_restore_leaves_no_mark(self, place: Place) -> None:
        async with Open(place) as paused, Open(place) as at:
            await (await paused.claims(EPOCH, None)).write(paused.page(1, 3))
            await at.claimed(LATER)
            planning = at.planning(LATER)
            for batch in (planning.rewritten(2), planning.complete(2), at.page(3, 4, LATER)):
                await at.writer_.write(batch)
            await superseded(paused.writer_, paused.page(4, 6))
            await at.writer_.write(at.page(5, 5, LATER))
        told = [one.attributes["id"] for one in await place.read(SHARD)]
        assert told[-3:] == [f"{LATER}.{SHARD}.{seq}" for seq in (3, 4, 5)]

    async def test_a_killed_broker_loses_and_doubles_nothing(self, place: Place) -> None:
        """It is killed between two answers of many; whoever wrote asks where to go on."""
        written = 0
        killed = False
        async with Open(place) as at:
            await at.claims(EPOCH, None)
            await place.settle()
            while written < 900:
                try:
                    if not killed and written >= 300:
                        killed = True
                        await at.breaks_while_writing(at.page(written + 1, written + 300))
                    await at.writer_.write(at.page(written + 1, written + 150))
                    written += 150
                except SinkAway:
                    if not place.broker.running:
                        await place.broker.restart()
                    await wait_until(lambda: at.sink.last(SHARD), what="it is read again", swallow=SinkAway)
                    checkpoint = await wait_until(lambda: at.claimed(EPOCH), what="claimed again", swallow=SinkAway)
                    assert checkpoint
                    assert checkpoint.seq >= (0 if at.sink.repeats or place.takes_back else written)
                    written = checkpoint.seq
            assert killed
            assert dense(await place.read(SHARD), at.sink.repeats) == [*range(1, written + 1)]

    async def test_a_message_that_is_too_large_is_named(self, place: Place) -> None:
        async with Open(place) as at:
            await at.claims(EPOCH, None)
            batch = at.page(1, 2)
            large = structs.replace(batch.messages[1], data=b'"' + b"x" * place.large_bytes + b'"')
            with pytest.raises(TooLarge, match=f"{EPOCH}.{SHARD}.2 has .* are the most") as refused:
                await at.writer_.write(batch._replace(messages=[batch.messages[0], large]))
            assert refused.value.size_bytes > refused.value.limit_bytes
        assert not await place.read(SHARD)

    async def test_what_will_not_do_is_refused_with_its_fix(self, place: Place) -> None:
        told = await place.spoil()
        async with place.sink() as sink:
            with pytest.raises(SinkRefused, match=told):
                await sink.prepare(SHARDS)

    async def test_preparing_again_changes_nothing(self, place: Place) -> None:
        async with Open(place) as at:
            await (await at.claims(EPOCH, None)).write(at.page(1, 2))
            await at.sink.prepare(SHARDS)
            assert await at.sink.last(SHARD) == Checkpoint(EPOCH, 2)
            assert await at.sink.last(0) is None


class Open:
    """A sink that is open and prepared, and its writer of ``SHARD``."""

    def __init__(self, place: Place, *, structured: bool = False) -> None:
        self.sink = place.sink(structured=structured)
        self.writer_: Writer
        self._place = place
        self._open = AsyncExitStack()

    async def __aenter__(self) -> "Open":
        await self._open.enter_async_context(self.sink)
        await self.sink.prepare(SHARDS)
        self.writer_ = await self._open.enter_async_context(self.sink.writer(SHARD))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    async def claimed(self, epoch: str) -> Checkpoint | None:
        return await self.writer_.claim(epoch)

    async def claims(self, epoch: str, standing: Checkpoint | None) -> Writer:
        assert await self.claimed(epoch) == standing
        return self.writer_

    async def writes_up_to(self, last: int) -> None:
        """Thrown out or not: from where it is told to go on."""
        first = (await self.sink.last(SHARD) or Checkpoint(EPOCH, 0)).seq + 1
        while first <= last:
            if not await superseded(self.writer_, self.page(first, last)):
                return
            first = goes_on(await self.claimed(EPOCH), last)

    async def breaks_while_writing(self, batch: Batch) -> None:
        """Raises SinkAway, or not if the broker was quicker."""
        writing = asyncio.create_task(self.writer_.write(batch))
        await asyncio.sleep(0)
        self._place.broker.kill()
        await asyncio.wait_for(writing, PATIENCE_S)
        raise SinkAway("it was killed")

    def planning(self, epoch: str) -> Planning:
        return Planning(SOURCE, epoch, SHARD, levels_apart=self.sink.levels_apart)

    def page(self, first: int, last: int, epoch: str = EPOCH) -> Batch:
        return self.planning(epoch).changes(logged(change(epoch, seq) for seq in range(first, last + 1)), 0)


def change(epoch: str, seq: int) -> dict[str, Any]:
    """An event of ``GET /v1/events``."""
    return {
        "shard": SHARD,
        "seq": seq,
        "sku": NAMES[seq % len(NAMES)],
        "location": "berlin",
        "version": seq,
        "kind": "adjust",
        "on_hand_delta": 1,
        "reserved_delta": 0,
        "on_hand": seq,
        "reserved": 0,
        "available": seq,
        "operation": f"{epoch}-{seq}",
        "actor": "test",
        "reason": None,
        "reference": None,
        "occurred_at": None,
        "committed_at": "2026-11-30T12:00:00.000000Z",
        "view_version": seq,
    }


def goes_on(checkpoint: Checkpoint | None, written: int, not_before: int = 0) -> int:
    """The next seq. Sinks that repeat may go back, by a page at most."""
    assert checkpoint is not None
    assert (checkpoint.epoch, checkpoint.complete) == (EPOCH, True)
    assert not_before <= checkpoint.seq <= written
    return checkpoint.seq + 1


async def superseded(writer: Writer, batch: Batch) -> bool:
    """Whether it is told."""
    try:
        await writer.write(batch)
    except Superseded:
        return True
    return False


def dense(told: list[Told], repeats: bool) -> list[int]:
    """The seqs of what is there. Where a sink may repeat, what comes again is dropped, as readers do."""
    seqs = [int(one.attributes["sequence"]) for one in told]
    if not repeats:
        return seqs
    kept: list[int] = []
    for seq in seqs:
        if not kept or seq > kept[-1]:
            kept.append(seq)
    return kept


def kind_and_seq(told: Told) -> tuple[str, int]:
    return told.attributes["type"], int(told.attributes["sequence"])
