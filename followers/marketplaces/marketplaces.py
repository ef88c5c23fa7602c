"""All that one `stockwire channels` does for places outside that sell: what it takes to start, run and end it."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from followers.database.database import Database
from followers.database.leases import CHANNELS, Leases
from followers.log.ledger import Ledger
from followers.marketplaces.adapter import Adapter
from followers.marketplaces.adapters import Adapters
from followers.marketplaces.backlog import Backlogs
from followers.marketplaces.buckets import Bucket
from followers.marketplaces.channels import Channels
from followers.marketplaces.checking import Checking
from followers.marketplaces.following import Following
from followers.marketplaces.held import Held
from followers.marketplaces.leased import Work
from followers.marketplaces.listings import ListingsReading
from followers.marketplaces.operated import OperatedMarketplaces, Parts
from followers.marketplaces.orders.shelf import Shelf
from followers.marketplaces.positions import Positions
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.pushing.rounds import Pushing
from followers.marketplaces.reconciling.reconciling import Reconciling
from followers.marketplaces.remote import TIMEOUT_S
from followers.marketplaces.terms import Quota
from followers.marketplaces.vendors import Vendors
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal
from server.problems import Unavailable
from server.version import VERSION

STRANGERS = Quota("lookups of channels", burst=100, per_s=20, kept=0)
"""For notices to channels that this process neither holds nor has met yet, or that there are not: anybody may send
some."""
STRANGERS_AGAIN_S = 5


class Marketplaces:
    """``works``: what else is done for each channel. ``name``: of this process among the replicas. ``addresses``,
    ``ca_file``: who may be reached, and who signs certificates there. An async context manager.
    """

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        seal: Seal,
        addresses: Addresses,
        works: Sequence[Work],
        *,
        name: str,
        lease_s: float,
        ca_file: Path | None = None,
    ) -> None:
        self.database = database
        self._leases = Leases(database, lease_s, name, CHANNELS)
        self.sessions = Sessions(
            addresses, {"user-agent": f"Stockwire/{VERSION}"}, ca_file=ca_file, timeout_s=TIMEOUT_S
        )
        self.channels = Channels(database, seal)
        self.vendors = Vendors()
        self.adapters = Adapters(self.channels, self.vendors, self.sessions, self._leases)
        pushes = Pushes()
        own: list[Work] = [
            *(Checking(database), Pushing(database, ledger, pushes), ListingsReading(database)),
            Reconciling(database, ledger, Shelf(database)),
        ]
        self._strangers = Bucket(STRANGERS, time.monotonic)
        self.held = Held(database, self._leases, self.channels, self.vendors, self.sessions, [*own, *works], lease_s)
        self.following = Following(ledger, Positions(database), lambda: self.held.channels)
        self.operated = OperatedMarketplaces(
            Parts(self.held, self.following, pushes, Backlogs(database), ledger.own_scopes, ledger.good_keys)
        )

    async def __aenter__(self) -> Self:
        await self.sessions.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.sessions.__aexit__(kind, error, trace)

    async def run(self) -> None:
        """Until cancelled. Raises SettingsError if the key is no good."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.held.run(), name="channels")
            tasks.create_task(self.following.run(), name="log of channels")

    async def adapter_of(self, channel: str) -> Adapter | None:
        """To verify a notice with, whoever holds the channel; None if there is none of that name. What comes to one
        that is paused is kept until it is resumed: whoever is turned away stops sending.

        Raises DatabaseAway, Unavailable if so many ask for channels that there are not that it is not looked up, and
        what ``Adapters.of`` raises for one that cannot be made.
        """
        is_known = channel in self.held.channels or self.adapters.knows(channel)
        if not is_known and self._strangers.take(1.0):
            raise Unavailable("too many notices name channels that there are not", STRANGERS_AGAIN_S)
        made = await self.adapters.of(channel)
        return None if made is None else made.adapter

    def noticed(self, channel: str) -> None:
        """Something was stored for it: if it is held here, it is applied at once."""
        leased = self.held.channels.get(channel)
        if leased is not None:
            leased.apply.set()

    async def end(self) -> None:
        """What is under way is in doubt, and read back by whoever takes the channels next. Raises DatabaseAway."""
        await self.held.end()
        await self._leases.give_back()
