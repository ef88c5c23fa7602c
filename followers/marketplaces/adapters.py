"""Adapters of channels as they are stored now, for whoever does not hold them: notices come to any replica."""

import time
from dataclasses import dataclass

from followers.database.leases import Leases
from followers.marketplaces.adapter import NOTICES_URL, Adapter, Remote
from followers.marketplaces.channels import Channel, Channels
from followers.marketplaces.vendors import Vendors
from followers.outward.sessions import Sessions

KEEP_S = 2.0
"""What an owner changes counts after so long."""
KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Made:
    channel: Channel
    adapter: Adapter
    remote: Remote
    until_s: float


class Adapters:
    """``leases``: say the time, by the database's clock."""

    def __init__(self, stored: Channels, vendors: Vendors, sessions: Sessions, leases: Leases) -> None:
        self._stored = stored
        self._vendors = vendors
        self._sessions = sessions
        self._leases = leases
        self._made: dict[str, Made] = {}

    def knows(self, identifier: str) -> bool:
        """Whether it is looked up for one that was there when it was asked for last."""
        return identifier in self._made

    async def of(self, identifier: str) -> Made | None:
        """None if there is no such channel.

        Raises DatabaseAway, SealBroken, VendorUnknown, VendorBroken, SettingRefused.
        """
        known = self._made.get(identifier)
        if known is not None and time.monotonic() < known.until_s:
            return known
        found = await self._stored.held([identifier])
        if not found:
            self._made.pop(identifier, None)
            return None
        channel, sealed = found[0]
        if known is not None and known.channel.revision == channel.revision:
            made = Made(channel, known.adapter, known.remote, time.monotonic() + KEEP_S)
        else:
            made = self._make(channel, sealed)
        if len(self._made) >= KEPT_MAX:
            self._made.clear()
        self._made[identifier] = made
        return made

    async def dry(self, identifier: str) -> Made | None:
        """What would set stock there is kept in its Remote. Its quotas and tokens are those of ``of``: however often
        somebody asks for one, the channel is asked no more. Raises as ``of`` does."""
        known, found = await self.of(identifier), await self._stored.held([identifier])
        if known is None or not found:
            return None
        made = self._make(*found[0], dry=True)
        made.remote.buckets, made.remote.kept = known.remote.buckets, known.remote.kept
        return made

    def _make(self, channel: Channel, sealed: bytes, *, dry: bool = False) -> Made:
        vendor = self._vendors.adapter(channel.vendor)
        remote = Remote(self._sessions, vendor.quotas, now_s=self._leases.now_s, dry=dry)
        known = {} if channel.notices_url is None else {NOTICES_URL: channel.notices_url}
        adapter = vendor({**channel.settings, **known}, self._stored.opened(sealed), remote)
        return Made(channel, adapter, remote, time.monotonic() + KEEP_S)
