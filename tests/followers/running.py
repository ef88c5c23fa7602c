"""`stockwire channels` as a process beside a ledger, and endpoints of it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from followers.database.database import Database
from followers.log.ledger import SCOPES, Ledger
from followers.sealing import Seal, new_sealing_key
from followers.webhooks.endpoints import Endpoint, Endpoints, New
from followers.webhooks.key_ring import HeldKey, KeyRing
from followers.webhooks.planning import CHANGED
from followers.webhooks.secrets import new_secret, seal_ring
from tests.followers.receivers import SAID
from tests.harness.log_lines import log_lines
from tests.harness.processes import ServerProcess, channels_process
from tests.harness.system import System

SEALING_KEY = new_sealing_key()
LOOPBACK = "127.0.0.0/8"


def sealed() -> bytes:
    return seal_ring(Seal([SEALING_KEY]), KeyRing((HeldKey(new_secret()),)))


async def settings_of(system: System, **more: object) -> Mapping[str, object]:
    return {
        "STOCKWIRE_URL": system.ledger_url,
        "STOCKWIRE_CHANNELS_KEY": await system.key("channels", *SCOPES),
        "STOCKWIRE_DATABASE_URL": system.database_url,
        "STOCKWIRE_WEBHOOKS_SEALING_KEYS": SEALING_KEY,
        "STOCKWIRE_WEBHOOKS_NETWORKS": LOOPBACK,
        "STOCKWIRE_CHANNELS_LEASE_S": 2,
        "STOCKWIRE_LOG": "json",
        **more,
    }


@asynccontextmanager
async def channels_of(system: System, name: str = "channels", **more: object) -> AsyncIterator[ServerProcess]:
    """Not started yet. In the end it is stopped, and its log is all JSON, without a traceback, a secret, or what a
    receiver said."""
    settings = await settings_of(system, **more)
    process = channels_process(name, system.folder, settings)
    try:
        yield process
        await process.stop()
        process.check_log()
        log_lines(process)
        secret = str(settings["STOCKWIRE_CHANNELS_KEY"]).split("_", 2)[2]
        assert not [one for one in (secret, SEALING_KEY, SAID) if one in process.stderr()]
    finally:
        process.kill()


@dataclass(frozen=True, slots=True)
class Shop:
    """Who makes endpoints: they belong to a key of ``system``."""

    system: System
    database: Database

    @property
    def endpoints(self) -> Endpoints:
        return Endpoints(self.database)

    async def hurry(self) -> None:
        """Whatever failed is due now: tests do not wait for the schedule."""
        async with self.database.transaction() as connection:
            await connection.execute("update behind set due_at = now() where attempt > 0 and due_at > now()")

    async def age(self, endpoint: Endpoint, by: timedelta) -> None:
        """It has failed for so long. Nobody may hold it meanwhile."""
        async with self.database.transaction() as connection:
            await connection.execute(
                "update standing set failing_since = failing_since - $2::interval where endpoint = $1",
                endpoint.id,
                by,
            )

    async def versions_behind(self) -> int:
        """How many versions wait, of all levels of all endpoints."""
        async with self.database.transaction() as connection:
            return int(await connection.fetchval("select coalesce(sum(newest_version - sent_version), 0) from behind"))

    async def behind(self) -> int:
        """How many levels wait, of all endpoints."""
        async with self.database.transaction() as connection:
            return int(await connection.fetchval("select count(*) from behind"))

    async def endpoint(
        self, url: str, *types: str, scopes: tuple[str, ...] = ("stock:read:*",), **more: Any
    ) -> Endpoint:
        """From here on."""
        key = await self.system.key("shop", *scopes)
        ledger = Ledger(self.system.ledger_url, await self.system.key("channels", *SCOPES))
        async with ledger:
            shards = await ledger.shards()
        heads = {one["shard"]: one["head"] for one in shards["shards"]}
        new = New(key.split("_")[1], scopes, url, types or (CHANGED,), **more)
        return await self.endpoints.add(new, sealed(), shards["epoch"], heads)
