"""Channels that this process holds, each with its adapter, and the fence under which all is written for it.

LeaseLost       somebody else holds it now: nothing was written
LeftAlone       nothing was asked: the channel was away, and it is not time yet
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, Protocol, TypeVar

from followers.database.database import Connection, Database
from followers.database.leases import Lease
from followers.marketplaces.adapter import AccessRefused, Adapter, Remote, RemoteAway
from followers.marketplaces.breaker import Breaker
from followers.marketplaces.channels import ENABLED, Channel
from followers.marketplaces.errors import defect_of
from followers.marketplaces.remote import QuotaSpent

LOOK_EVERY_S = 0.25
UNREADABLE = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an adapter meets in an answer of another shape than it knows: nobody else is to go down with its channel."""
REASON_CHARACTERS_MAX = 200
LEFT_OUT_MAX = 1_000

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Whoever meets it lets it pass: the loops of the channel end with it."""


class LeftAlone(RemoteAway):
    """The message says for how long."""


@dataclass(slots=True, eq=False)
class LeasedChannel:
    """Made anew when its owner changes something, or under another lease.

    ``refused``: why it does not let us in, until a check finds that it does. ``left_out``: ids of orders that it gave
    and that cannot be kept, so that a person books them; ``LEFT_OUT_MAX`` of them.

    Events, each cleared by the loop that waits for it: ``due``, a listing may be due; ``poll``, its orders are to be
    polled at once; ``apply``, a notice was stored; ``recheck``, a check is due.
    """

    channel: Channel
    adapter: Adapter
    remote: Remote
    lease: Lease
    breaker: Breaker = field(default_factory=lambda: Breaker(time.monotonic))
    refused: str | None = None
    left_out: set[str] = field(default_factory=set)
    due: asyncio.Event = field(default_factory=asyncio.Event)
    poll: asyncio.Event = field(default_factory=asyncio.Event)
    apply: asyncio.Event = field(default_factory=asyncio.Event)
    recheck: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return self.channel.id

    @property
    def is_held(self) -> bool:
        return time.monotonic() < self.lease.until_s

    @property
    def may_ask(self) -> bool:
        """Whether asking it is worth anything now."""
        enabled = self.channel.state == ENABLED and self.refused is None
        return enabled and self.is_held and self.breaker.wait_s() == 0

    async def ready(self) -> None:
        """Returns when it may be asked: a loop begins each turn with it."""
        while True:
            if self.may_ask:
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def ask(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """``call``: a method of its adapter. All that is asked of a channel is asked so, so that one that is away is
        left alone and one that does not let us in is stopped.

        Raises RemoteAway: LeftAlone where nothing was asked; AccessRefused.
        """
        if wait_s := self.breaker.wait_s():
            raise LeftAlone(f"was away: it is asked again in {wait_s:.0f} s")
        if self.refused is not None:
            raise LeftAlone(f"does not let us in: {self.refused}")
        return await self.probe(call, *args, **kwargs)

    async def probe(self, call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """As ``ask``, also where it is left alone."""
        self.breaker.begin()
        try:
            found = await call(*args, **kwargs)
        except AccessRefused as error:
            self.breaker.succeeded()
            if self.refused is None:
                self.refused = str(error)
                self.recheck.set()
            raise
        except QuotaSpent:
            raise
        except RemoteAway:
            self.breaker.failed()
            raise
        except UNREADABLE as error:
            self.breaker.failed()
            defect = defect_of(error)[:REASON_CHARACTERS_MAX]
            log.error("an answer of a channel cannot be read channel=%s reason=%r", self.id, defect)
            raise RemoteAway(f"answers with what cannot be read: {defect}") from error
        self.breaker.succeeded()
        return found

    @asynccontextmanager
    async def writing(self, database: Database) -> AsyncIterator[Connection]:
        """A transaction under its fence: nobody else takes the channel before its end.

        Raises LeaseLost, DatabaseAway.
        """
        async with database.transaction() as connection:
            held = await connection.fetchval(
                "select true from channel_lease where channel = $1 and fence = $2 for share", self.id, self.lease.fence
            )
            if not held:
                raise LeaseLost(f"channel {self.id} is held by another process")
            yield connection


class Work(Protocol):
    """Something that is done for each channel that is held."""

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        """By name; each runs until it is cancelled, or LeaseLost passes. Outages of channel, ledger and database are
        its own business: whatever else it raises ends the process."""
