"""Takes channels and keeps them: leases renewed in time, and for each the loops that work on it."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from followers.database.database import Database, DatabaseAway
from followers.database.leases import Lease, Leases
from followers.marketplaces.adapter import Adapter, Remote, SettingRefused
from followers.marketplaces.channels import Channel, Channels, stop
from followers.marketplaces.errors import defect_of
from followers.marketplaces.leased import UNREADABLE, LeasedChannel, LeaseLost, Work
from followers.marketplaces.vendors import VendorBroken, Vendors, VendorUnknown
from followers.outward.sessions import Sessions
from followers.sealing import SealBroken

RENEWED_TIMES = 4
"""In the time of one lease: a renewal that fails has others behind it."""
EVERY_S_MAX = 1.0
"""What an owner changes is done within this time."""
LET_GO_S = 5.0
"""For the loops of a channel to end, or less where a lease is short: an adapter that holds its own up keeps no other
channel from being renewed. What it still does is written nowhere, as its lease is gone."""
AGAIN_S = 60.0
"""After which a channel that could not be begun is tried again."""

log = logging.getLogger(__name__)


class Held:
    """``channels``: by id, those on which this process works now. ``away``: why nothing can be renewed now."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        stored: Channels,
        vendors: Vendors,
        sessions: Sessions,
        works: Sequence[Work],
        lease_s: float,
    ) -> None:
        self._database = database
        self._leases = leases
        self._stored = stored
        self._vendors = vendors
        self._sessions = sessions
        self._works = works
        self._every_s = min(EVERY_S_MAX, lease_s / RENEWED_TIMES)
        self._let_go_s = min(LET_GO_S, lease_s / RENEWED_TIMES)
        self._turn = asyncio.Lock()
        self._ended = False
        self._fences: dict[str, int] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._remotes: dict[str, Remote] = {}
        self._not_begun: dict[str, tuple[int, float]] = {}
        self.channels: dict[str, LeasedChannel] = {}
        self.away: str | None = "no channel was taken yet"

    async def run(self) -> None:
        """Until cancelled, or ``end``; the loops of all channels with it."""
        async with asyncio.TaskGroup() as tasks:
            while not self._ended:
                async with self._turn:
                    await self._keep(tasks)
                await asyncio.sleep(self._every_s)

    async def end(self) -> None:
        """Nothing more is done for any channel, and none is taken again; safe twice, and if never run."""
        self._ended = True
        async with self._turn:
            await self._let_go(set(self.channels))

    async def _keep(self, tasks: asyncio.TaskGroup) -> None:
        if self._ended:
            return
        try:
            await self._renew(tasks)
            self._say(None)
        except DatabaseAway as error:
            self._say(str(error))
            await self._let_go({one for one, leased in self.channels.items() if not leased.is_held})

    async def _renew(self, tasks: asyncio.TaskGroup) -> None:
        before, leases = self._fences, await self._leases.renew(self._fences)
        self._fences = {identifier: lease.fence for identifier, lease in leases.items()}
        stored = {channel.id: (channel, sealed) for channel, sealed in await self._stored.held(list(leases))}
        stuck = await self._let_go(
            {one for one, leased in self.channels.items() if not self._is_the_same(leased, leases, stored.get(one))}
        )
        for identifier, (channel, sealed) in stored.items():
            lease, known = leases[identifier], self.channels.get(identifier)
            if known is None:
                await self._begin(tasks, channel, sealed, lease)
            else:
                known.lease, known.channel = lease, channel
        if left := {one: fence for one, fence in before.items() if one not in leases and one not in stuck}:
            await self._leases.leave(left)  # of more than our share: nobody waits until they run out

    def _is_the_same(
        self, leased: LeasedChannel, leases: dict[str, Lease], stored: tuple[Channel, bytes] | None
    ) -> bool:
        lease = leases.get(leased.id)
        return (
            lease is not None
            and lease.fence == leased.lease.fence
            and stored is not None
            and stored[0].revision == leased.channel.revision
        )

    async def _begin(self, tasks: asyncio.TaskGroup, channel: Channel, sealed: bytes, lease: Lease) -> None:
        now_s = asyncio.get_running_loop().time()
        revision, again_s = self._not_begun.get(channel.id, (0, 0.0))
        if revision == channel.revision and now_s < again_s:
            return
        try:
            adapter, remote = self._adapter(channel, sealed)
        except (SettingRefused, VendorUnknown, VendorBroken, SealBroken, *UNREADABLE) as error:
            self._not_begun[channel.id] = channel.revision, now_s + AGAIN_S
            reason = _reason(error)
            log.error("a channel is not begun channel=%s reason=%r", channel.id, reason)
            async with self._database.transaction() as connection:
                await stop(connection, channel.id, reason)
            return
        leased = LeasedChannel(channel, adapter, remote, lease)
        self.channels[channel.id] = leased
        self._running[channel.id] = tasks.create_task(self._work(leased), name=f"channel {channel.id}")

    def _adapter(self, channel: Channel, sealed: bytes) -> tuple[Adapter, Remote]:
        """The quotas of a channel go on where they stood, whatever its owner changes."""
        made = self._vendors.adapter(channel.vendor)
        remote = self._remotes.get(channel.id)
        if remote is None:
            remote = self._remotes[channel.id] = Remote(self._sessions, made.quotas, now_s=self._leases.now_s)
        remote.kept.clear()
        return made(channel.settings, self._stored.opened(sealed), remote), remote

    async def _work(self, leased: LeasedChannel) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in self._works:
                    for name, loop in work.loops(leased).items():
                        tasks.create_task(loop(), name=f"{name} of {leased.id}")
        except* LeaseLost as group:
            log.info("a channel is left to another process channel=%s reason=%r", leased.id, str(group.exceptions[0]))

    async def _let_go(self, identifiers: set[str]) -> set[str]:
        """Returns those on which something here works still."""
        ending = {}
        for identifier in identifiers:
            leased = self.channels.pop(identifier)
            leased.lease = replace(leased.lease, until_s=0.0)
            task = ending[identifier] = self._running.pop(identifier)
            task.cancel()
        if ending:
            await asyncio.wait(ending.values(), timeout=self._let_go_s)
        stuck = {identifier for identifier, task in ending.items() if not task.done()}
        for identifier in stuck:
            log.error(
                "a channel does not end, its adapter holds it up channel=%s within_s=%.1f", identifier, self._let_go_s
            )
        return stuck

    def _say(self, away: str | None) -> None:
        if away is not None and self.away is None:
            log.warning("channels are not kept reason=%r", away)
        self.away = away


def _reason(error: Exception) -> str:
    if isinstance(error, SettingRefused):
        return f"{error.name}: {error}"
    if isinstance(error, KeyError):
        return f"its adapter cannot be made without {error}: add this setting or credential"
    return f"its adapter cannot be made: {defect_of(error)}" if isinstance(error, UNREADABLE) else str(error)
