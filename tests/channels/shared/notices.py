"""Notices (webhooks) to whoever subscribed: the vendor's own retries and its end of patience, and faults on demand."""

import asyncio
import random
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from tests.channels.shared.faults import Faults, NoticeFaults

SEED = 1
AFTER_THE_NEXT_S = 2.0
"""How long one that is to be sent after the next one waits for it at most."""
IN_FLIGHT = 64


@dataclass(frozen=True, slots=True)
class Notice:
    """``id`` is the same in each attempt and each copy; ``at``: when it was caused, since 1970."""

    id: str
    topic: str
    body: bytes
    at: float


@dataclass(slots=True)
class Subscription:
    """``failures``: of deliveries, one after the other. ``details``: the vendor's own."""

    id: str
    topics: frozenset[str]
    url: str
    failures: int = 0
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """``waits_s``: between attempts at one notice. ``failures``: after so many, one after the other, whatever the
    notice, the subscription ends; None: never."""

    waits_s: tuple[float, ...]
    failures: int | None


class Sender(ABC):
    """An async context manager."""

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(self, *_: object) -> None: ...

    @abstractmethod
    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        """Whether it arrived. Has its own deadline, and raises nothing."""


Headers = Callable[[Subscription, Notice], Mapping[str, str]]


class Post(Sender):
    """Sends by HTTP, with the vendor's headers, signature included. 2xx in time is success, a redirect is none."""

    def __init__(self, headers: Headers, timeout_s: float) -> None:
        self._headers = headers
        self._timeout = aiohttp.ClientTimeout(timeout_s)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        headers = self._headers(subscription, notice)
        try:
            async with self._session.post(
                subscription.url, data=notice.body, headers=headers, allow_redirects=False
            ) as answer:
                return 200 <= answer.status < 300
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False


class Notices:
    """``subscriptions`` by id: the vendor's API adds and removes. ``pace``: waits between attempts are so much shorter.

    ``counts``: sent (attempts), failed (of them), doubled, dropped, reordered, ended (subscriptions). An async context
    manager: at its end what is under way is given up.
    """

    def __init__(self, sender: Sender, patience: Patience, pace: float = 1.0) -> None:
        self.subscriptions: dict[str, Subscription] = {}
        self.faults = Faults().notices
        self.counts: Counter[str] = Counter()
        self._sender = sender
        self._patience = patience
        self._pace = pace
        self._chance = random.Random(SEED)
        self._under_way: set[asyncio.Task[None]] = set()
        self._lines = asyncio.Semaphore(IN_FLIGHT)
        self._sent = asyncio.Condition()

    async def __aenter__(self) -> Self:
        await self._sender.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self._sender.__aexit__()

    def publish(self, notice: Notice) -> None:
        """To all who subscribed to its topic, with the faults of now; returns at once."""
        for subscription in list(self.subscriptions.values()):
            if notice.topic in subscription.topics:
                delivery = self._deliver(subscription, notice, self.faults)
                task = asyncio.get_running_loop().create_task(delivery, name="notice")
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)

    async def _deliver(self, subscription: Subscription, notice: Notice, faults: NoticeFaults) -> None:
        if self._falls(faults.dropped, "dropped"):
            return
        copies = 2 if self._falls(faults.doubled, "doubled") else 1
        await asyncio.sleep(faults.late_s)
        if self._falls(faults.reordered, "reordered"):
            await self._the_next_one()
        for _ in range(copies):
            await self._attempt(subscription, notice)

    async def _attempt(self, subscription: Subscription, notice: Notice) -> None:
        """Again and again, until it arrives, or the vendor or the subscription ends it."""
        for wait_s in (0.0, *self._patience.waits_s):
            await asyncio.sleep(wait_s / self._pace)
            if subscription.id not in self.subscriptions:
                return
            async with self._lines:
                arrived = await self._sender.send(subscription, notice)
            self.counts["sent"] += 1
            async with self._sent:
                self._sent.notify_all()
            if arrived:
                subscription.failures = 0
                return
            self.counts["failed"] += 1
            subscription.failures += 1
            if self._patience.failures is not None and subscription.failures >= self._patience.failures:
                self.counts["ended"] += self.subscriptions.pop(subscription.id, None) is not None
                return

    async def _the_next_one(self) -> None:
        try:
            async with asyncio.timeout(AFTER_THE_NEXT_S), self._sent:
                await self._sent.wait()
        except TimeoutError:
            return

    def _falls(self, probability: float, fault: str) -> bool:
        falls = self._chance.random() < probability
        self.counts[fault] += falls
        return falls
