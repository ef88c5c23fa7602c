"""How many requests an owner may send to all ledgers, or to all hubs, together.

Redis counts, and each process leases its share in blocks.

The library ``limits`` counts (its sliding window counter). ``take`` never waits for it: ``run`` renews the leases.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.types import Message, Scope, Send

from server.errors import BROKER_AWAY
from server.problems import RateLimited
from server.rates.allowance import Allowance, Policy
from wire.channels import rate_prefix

ALLOWANCE = "stockwire.allowance"
"""In the ASGI scope of a request: the allowance of its owner, once that is known."""
OWNERS_MAX = 10_000
"""Allowances remembered; the one unused for longest goes first, and is full again should its owner come back."""
RENEWALS_AT_ONCE = 32
NOBODY = "nobody"
"""No owner's key: those are hashes."""
DUE_MAX = 10_000
"""Leases waiting to be asked for. Above it an owner's limit is this process's own until there is room."""
RENEW_DEADLINE_S = 0.5
LATE_S = 0.05
"""When Redis has not answered for this long, the limits are local until it does."""
AGAIN_S = 1.0
"""While Redis is away, seconds between two tries to reach it."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Counters:
    """Counts since start. ``limited``: requests refused. ``failed``: leases that Redis did not answer for."""

    limited: int = 0
    leases: int = 0
    failed: int = 0


class RateLimits:
    """``per_second`` requests for each owner on average; 0 turns the limit off. ``run`` until cancelled.

    ``redis_url``: None for limits of this process alone. ``service``: processes of the same service share their counts.
    ``counted``: what has a limit, if not an owner.
    """

    def __init__(
        self,
        per_second: float,
        redis_url: str | None,
        prefix: str,
        service: str,
        clock: Callable[[], float] = time.monotonic,
        *,
        counted: str = "owner",
    ) -> None:
        self.counters = Counters()
        self.shared = per_second > 0 and redis_url is not None
        """Whether Redis counts; else each process counts alone."""
        self._policy = Policy(per_second, counted) if per_second else None
        self._redis_url = redis_url
        self._prefix = rate_prefix(prefix)
        self._service = service
        self._clock = clock
        self._allowances: OrderedDict[str, Allowance] = OrderedDict()
        self._due: list[Allowance] = []
        self._arrived = asyncio.Event()
        self._late_at = math.inf

    def allowance(self, owner: str) -> Allowance | None:
        """None: there is no limit."""
        if self._policy is None:
            return None
        found = self._allowances.get(owner)
        if found is not None:
            self._allowances.move_to_end(owner)
            return found
        key = hashlib.sha256(owner.encode()).hexdigest()[:32]
        found = self._allowances[owner] = Allowance(self._policy, key, self._clock())
        if len(self._allowances) > OWNERS_MAX:
            self._allowances.popitem(last=False)
        return found

    @property
    def policy(self) -> Policy:
        """Only where there is a limit."""
        assert self._policy is not None
        return self._policy

    def take(self, allowance: Allowance) -> int:
        """0 if one more request is allowed; else the seconds after which another try makes sense. Never waits."""
        now = self._clock()
        shared = self.shared and now < self._late_at
        wait_s = allowance.take(now, shared=shared)
        if shared and not allowance.renewing and len(self._due) < DUE_MAX and allowance.wanted(now):
            allowance.renewing = True
            self._due.append(allowance)
            self._arrived.set()
        if not wait_s:
            return 0
        self.counters.limited += 1
        return max(1, math.ceil(wait_s))

    def admit(self, scope: Scope, owner: str, sender: str | None = None) -> None:
        """Count a request of ``owner``, and let its answer tell what is left. Raises RateLimited.

        ``sender``: what the refusal calls it, if not as it is counted.
        """
        allowance = self.allowance(owner)
        if allowance is None:
            return
        scope[ALLOWANCE] = allowance
        if wait_s := self.take(allowance):
            raise RateLimited(sender or owner, wait_s, allowance.policy.quota, allowance.policy.window_s)

    def headers(self, allowance: Allowance) -> list[tuple[bytes, bytes]]:
        """``RateLimit-Policy`` and ``RateLimit`` as in draft-ietf-httpapi-ratelimit-headers-10, sections 3 and 4."""
        left, policy = allowance.left(shared=self.shared), allowance.policy
        if allowance.cached_header is None or allowance.cached_header[0] != left:
            allowance.cached_header = left, b"%b;r=%d;t=%d" % (policy.name, left, policy.token_s)
        return [(b"ratelimit-policy", policy.header), (b"ratelimit", allowance.cached_header[1])]

    def telling(self, scope: Scope, send: Send) -> Send:
        """``send``, which adds the headers of ``scope``'s allowance to the answer, if there is one by then."""

        async def send_limited(message: Message) -> None:
            if message["type"] == "http.response.start" and (allowance := scope.get(ALLOWANCE)):
                message["headers"] = [*message["headers"], *self.headers(allowance)]
            await send(message)

        return send_limited

    async def run(self) -> None:
        if self._policy is None or self._redis_url is None:
            return
        redis = Redis.from_url(
            self._redis_url,
            protocol=2,
            socket_timeout=RENEW_DEADLINE_S,
            socket_connect_timeout=RENEW_DEADLINE_S,
            retry=Retry(NoBackoff(), 0),
        )
        async with redis:
            given: dict[str, Any] = {"connection_pool": redis.connection_pool}  # no URL: it may hold a password
            await self.lease_from(
                RedisStorage("async+redis://", implementation="redispy", key_prefix=self._prefix, **given)
            )

    async def lease_from(self, storage: Storage) -> None:
        """``storage``: where all processes count. Until cancelled; only where there is a limit."""
        counter = SlidingWindowCounterRateLimiter(storage)
        item = RateLimitItemPerSecond(self.policy.quota, self.policy.window_s, namespace=self._service)
        while True:
            await self._arrived.wait()
            await self._renew(counter, item, self._batch())
            while not self.shared:
                await asyncio.sleep(AGAIN_S)
                await self._try_again(counter, item)

    def _batch(self) -> list[Allowance]:
        batch, self._due = self._due[:RENEWALS_AT_ONCE], self._due[RENEWALS_AT_ONCE:]
        if not self._due:
            self._arrived.clear()
        return batch

    async def _renew(
        self, counter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, batch: list[Allowance]
    ) -> None:
        self._late_at = self._clock() + LATE_S
        try:
            async with asyncio.timeout(RENEW_DEADLINE_S), asyncio.TaskGroup() as group:
                for allowance in batch:
                    group.create_task(self._lease(counter, item, allowance))
        except* BROKER_AWAY as group:
            self._be_local(group.exceptions[0], len(batch))
        finally:
            self._late_at = math.inf
            for allowance in batch:
                allowance.renewing = False

    async def _lease(
        self, counter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, allowance: Allowance
    ) -> None:
        """As much of a block as there is. What others take in between is asked for again with the next one."""
        wanted = granted = allowance.wanted(self._clock())
        if not wanted:
            return
        if not await counter.hit(item, allowance.key, cost=wanted):
            left = (await counter.get_window_stats(item, allowance.key)).remaining
            granted = min(wanted, left)
            if not (granted and await counter.hit(item, allowance.key, cost=granted)):
                granted = 0
        left = (await counter.get_window_stats(item, allowance.key)).remaining
        allowance.lease(wanted, granted, left, self._clock())
        self.counters.leases += 1

    def _be_local(self, error: BaseException, asked: int) -> None:
        self.shared = False
        self.counters.failed += asked
        for allowance in self._due:
            allowance.renewing = False
        self._due.clear()
        self._arrived.clear()
        logger.warning("rate limits are local until the broker is back reason=%r", error)

    async def _try_again(self, counter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond) -> None:
        """Counts one request of nobody: a Redis that answers pings may still refuse to count."""
        try:
            async with asyncio.timeout(RENEW_DEADLINE_S):
                await counter.hit(item, NOBODY)
        except BROKER_AWAY:
            return
        self.shared = True
        logger.info("rate limits are shared again")
