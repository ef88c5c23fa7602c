"""Takes endpoints and keeps them: leases renewed in time, each endpoint as it is stored now."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import datetime

from followers.database.database import DatabaseAway
from followers.database.leases import Lease, Leases
from followers.sealing import Seal, SealBroken
from followers.webhooks.endpoints import Endpoint
from followers.webhooks.key_ring import KeyRing
from followers.webhooks.leased import Held, Leased
from followers.webhooks.outbox import Outbox
from followers.webhooks.owners import Owners
from followers.webhooks.secrets import open_ring

RENEWED_TIMES = 4
"""In the time of one lease: a renewal that fails has others behind it."""
EVERY_S_MAX = 1.0
"""What an owner changes is done within this time."""
PRUNE_EVERY_S = 10.0
UNOPENED_LEASES = 4
"""Times of a lease for which it is remembered whose secret cannot be opened: whoever takes it says it again."""

log = logging.getLogger(__name__)


class Keeping:
    """``away``: why nothing can be renewed now. ``leases_lost``: that ran out before they were renewed."""

    def __init__(
        self,
        leases: Leases,
        outbox: Outbox,
        held: Held,
        owners: Owners,
        seal: Seal,
        lease_s: float,
        woken: asyncio.Event,
    ) -> None:
        self._leases = leases
        self._outbox = outbox
        self._held = held
        self._owners = owners
        self._seal = seal
        self._every_s = min(EVERY_S_MAX, lease_s / RENEWED_TIMES)
        self._woken = woken
        self._opened: dict[bytes, KeyRing] = {}
        self._pruned_s = time.monotonic()
        self._unopened: dict[str, float] = {}
        self._unopened_s = UNOPENED_LEASES * lease_s
        self.leases_lost = 0
        self.away: str | None = "no endpoint was taken yet"

    def unopened(self) -> list[str]:
        """Ids of endpoints that are sent nothing, since no key here opens their secret."""
        now = time.monotonic()
        self._unopened = {identifier: until_s for identifier, until_s in self._unopened.items() if now < until_s}
        return sorted(self._unopened)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._renew()
                await self._leave()
                await self._prune()
                self._say(None)
            except DatabaseAway as error:
                self._say(str(error))
            await asyncio.sleep(self._every_s)

    async def _renew(self) -> None:
        fences = {
            one: leased.lease.fence
            for one, leased in self._held.endpoints.items()
            if leased.is_held and not leased.leaving
        }
        leases = await self._leases.renew(fences)
        stored = await self._outbox.stored(list(leases))
        rings = {sealed: self._ring(endpoint, sealed) for endpoint, sealed, _, _ in stored}
        self._opened = {sealed: ring for sealed, ring in rings.items() if ring is not None}
        found = {
            endpoint.id: (endpoint, self._opened[sealed], _unix(since), _unix(until))
            for endpoint, sealed, since, until in stored
            if sealed in self._opened
        }
        self.leases_lost += sum(self._is_lost(one, leases) for one in self._held.endpoints.values())
        for identifier in set(self._held.endpoints) - set(found):
            self._held.endpoints[identifier].leaving = True  # paused, disabled, removed, or left to another
        new = [identifier for identifier in found if not self._keep(leases[identifier], *found[identifier])]
        if new:
            self._owners.ask()
        self._woken.set()

    @staticmethod
    def _is_lost(leased: Leased, leases: Mapping[str, Lease]) -> bool:
        """Its time is over, and it is not ours still: this process may have stood still since it asked for it."""
        lease = leases.get(leased.endpoint.id)
        is_ours = lease is not None and lease.fence == leased.lease.fence
        return not leased.is_held and not leased.leaving and not is_ours

    async def _leave(self) -> None:
        """Nobody has to wait for a lease under which nothing is in flight any more."""
        left = [one for one in self._held.endpoints.values() if one.leaving and (not one.shipments or not one.is_held)]
        if left:
            await self._leases.leave({one.endpoint.id: one.lease.fence for one in left})
            for one in left:
                del self._held.endpoints[one.endpoint.id]

    def _keep(
        self, lease: Lease, endpoint: Endpoint, ring: KeyRing, since_s: float | None, until_s: float | None
    ) -> bool:
        """Whether it was ours before."""
        known = self._held.endpoints.get(endpoint.id)
        if known is None or known.lease.fence != lease.fence:
            self._held.endpoints[endpoint.id] = Leased(endpoint, ring, lease, since_s, until_s)
            return False
        known.extend(lease)
        if known.endpoint != endpoint or known.keys is not ring:
            known.renewed(endpoint, ring)
        known.look_at(0.0)  # its owner may have asked for something
        return True

    def _ring(self, endpoint: Endpoint, sealed: bytes) -> KeyRing | None:
        if sealed in self._opened:
            return self._opened[sealed]
        try:
            ring = open_ring(self._seal, sealed)
        except SealBroken as error:
            log.error("an endpoint is sent nothing endpoint=%s reason=%r", endpoint.id, str(error))
            self._unopened[endpoint.id] = time.monotonic() + self._unopened_s
            return None
        self._unopened.pop(endpoint.id, None)
        return ring

    async def _prune(self) -> None:
        if time.monotonic() > self._pruned_s + PRUNE_EVERY_S:
            self._pruned_s = time.monotonic()
            await self._outbox.prune(list(self._held.endpoints.values()))

    def _say(self, away: str | None) -> None:
        if away is not None and self.away is None:
            log.warning("endpoints are not kept reason=%r", away)
        self.away = away


def _unix(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
