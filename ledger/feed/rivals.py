"""What other writers commit on a shard, heard from the broker while it is worth hearing.

A ledger that is alone on its database hears nothing and pays nothing: a writer begins to listen when it loses a race.
What is heard is a hint. It may be late, lost or wrong: the commit statement checks every level that was decided on.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta, Raw, Struct

from server.broker.subscription import Subscription
from wire.channels import shard_channel
from wire.messages import Units

logger = logging.getLogger(__name__)

UNUSED_MAX = 16
"""Messages, heartbeats among them, after which a writer that commits nothing itself stops listening: hearing so many
costs about as much as a race that is lost."""

ALONE_MAX = 64
"""Batches in a row of a writer that hears of nobody else's, after which it stops listening."""


Count = Annotated[int, Meta(ge=0, le=2**63 - 2)]
"""Of changes of a level: with one more it is still a number that PostgreSQL takes."""


class Moved(Struct):
    """What a level holds after an event: of ``wire.messages.Event``, what decides.

    Bounded, so that what somebody else says on the channel makes no commit that the database cannot read.
    """

    location: str
    sku: str
    on_hand: Units
    reserved: Units
    version: Count
    view_version: Count = 0


class Hearer(Protocol):
    """Who wants to know: a writer."""

    def connected(self) -> None:
        """From now on it is told what others commit; it was not before."""

    def heard(self, by: str, shard: int, seq: int, moved: Sequence[Moved]) -> None:
        """Another writer has committed a batch that ends at ``seq`` of ``shard``."""

    def disconnected(self) -> None:
        """From now on it is not told."""


class _Told(Struct):
    """Of ``wire.messages.Batch``, what is needed to see whether the rest is. A heartbeat has no events."""

    epoch: str
    first: int = 0
    writer: str = ""
    events: Raw = msgspec.field(default_factory=Raw)


_told = msgspec.json.Decoder(_Told)
_moved = msgspec.json.Decoder(list[Moved])


class Rivals:
    """Of the writer that calls itself ``name`` in its messages. ``run`` until cancelled. ``live``: it hears them."""

    def __init__(
        self, broker: tuple[str, str], shard: int, name: str, epoch: Callable[[], str], hearer: Hearer
    ) -> None:
        """``broker``: its URL, and the prefix of the channels. ``epoch``: of which messages count."""
        url, prefix = broker
        self.live = False
        self._subscription = Subscription(url, [shard_channel(prefix, shard)], self, "racing with locks")
        self._shard = shard
        self._name = name
        self._epoch = epoch
        self._hearer = hearer
        self._wanted = asyncio.Event()
        self._unwanted = asyncio.Event()
        self._unused = self._alone = 0
        self._others = False

    @property
    def wanted(self) -> bool:
        """Whether it listens, or tries to."""
        return self._wanted.is_set()

    def listen(self) -> None:
        """Safe twice."""
        self._unused = self._alone = 0
        self._unwanted.clear()
        self._wanted.set()

    def leave(self) -> None:
        """Safe twice, and if it never listened."""
        self._wanted.clear()
        self._unwanted.set()

    def committed(self) -> None:
        """Our own writer has."""
        self._unused = 0
        self._alone = 0 if self._others else self._alone + 1
        self._others = False
        if self._alone >= ALONE_MAX:
            self.leave()

    async def run(self) -> None:
        while True:
            await self._wanted.wait()
            async with asyncio.TaskGroup() as tasks:
                listening = tasks.create_task(self._subscription.run(), name="rivals")
                await self._unwanted.wait()
                listening.cancel()

    # --- what the subscription says

    def subscribed(self) -> None:
        self.live = True
        self._hearer.connected()

    def unsubscribed(self) -> None:
        self.live = False
        self._hearer.disconnected()

    def message(self, _channel: str, data: bytes) -> None:
        self._unused += 1
        if self._unused > UNUSED_MAX:
            self.leave()
        try:
            told = _told.decode(data)
            if told.writer == self._name or told.epoch != self._epoch() or not told.events:
                return
            moved = _moved.decode(told.events)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.debug("a message of another ledger cannot be read reason=%r", str(error))
            return
        self._others = True
        self._hearer.heard(told.writer, self._shard, told.first + len(moved) - 1, moved)
