"""`stockwire channels` of a row's own, a receiver, and webhooks that lead from one to the other."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from followers.database.database import Database
from followers.log.ledger import SCOPES, Ledger
from followers.webhooks.endpoints import Endpoints, New
from followers.webhooks.planning import CHANGED
from tests.bench.server import BareServer
from tests.bench.shop import Shop
from tests.followers.running import LOOPBACK, SEALING_KEY, sealed
from tests.harness.processes import ServerProcess, channels_process
from tests.harness.waiting import wait_until

SHARE = float(os.environ.get("WEBHOOKS_SHARE", "1"))
"""Of the endpoints, seconds and events of all rows of webhooks: less than 1 tries them."""
DEADLINE_S = 300.0


def share(whole: int, least: int = 1) -> int:
    return max(least, int(whole * SHARE))


@dataclass(frozen=True, slots=True)
class Senders:
    """``channels``: the process. ``http``: to the receiver."""

    shop: Shop
    channels: ServerProcess
    receiver: BareServer
    http: httpx.AsyncClient
    database: Database

    @property
    def receiver_url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}"

    async def endpoints(self, paths: Sequence[str], skus: Sequence[Sequence[str]], **more: Any) -> None:
        """One for each path, which is sent what is committed from now on, of its skus."""
        owner = (await self.shop.system.key("shop", "stock:read:*")).split("_")[1]
        async with Ledger(self.shop.system.ledger_url, await self.shop.system.key("channels", *SCOPES)) as ledger:
            state = await ledger.shards()
        heads = {one["shard"]: one["head"] for one in state["shards"]}
        store = Endpoints(self.database)
        for path, wanted in zip(paths, skus, strict=True):
            url = f"{self.receiver_url}/{path}"
            new = New(owner, ("stock:read:*",), url, (CHANGED,), skus=tuple(wanted), **more)
            await store.add(new, sealed(), state["epoch"], heads)

    async def held(self, count: int) -> None:
        """Until so many are followed for."""

        async def there() -> bool:
            values = await self._metrics()
            return values["endpoints_held"] == count and values["catching_up"] == 0

        await wait_until(there, DEADLINE_S)

    async def figures(self) -> dict[str, Any]:
        """Of what came since it was asked last."""
        found: dict[str, Any] = (await self.http.get("/figures")).json()
        return found

    async def _metrics(self) -> dict[str, float]:
        async with httpx.AsyncClient(trust_env=False) as http:
            text = (await http.get(f"{self.channels.admin}/metrics")).text
        lines = [line.split() for line in text.splitlines() if line.startswith("stockwire_channels_")]
        return {line[0].removeprefix("stockwire_channels_"): float(line[-1]) for line in lines}


@asynccontextmanager
async def senders(shop: Shop) -> AsyncIterator[Senders]:
    """With the settings that there are without any, but for who may be reached."""
    settings = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_CHANNELS_KEY": await shop.system.key("channels", *SCOPES),
        "STOCKWIRE_DATABASE_URL": shop.system.database_url,
        "STOCKWIRE_WEBHOOKS_SEALING_KEYS": SEALING_KEY,
        "STOCKWIRE_WEBHOOKS_NETWORKS": LOOPBACK,
    }
    channels = channels_process("channels", shop.system.folder, settings)
    with BareServer("tests.bench.receiver", 0) as receiver:
        url = f"http://127.0.0.1:{receiver.port}"
        async with (
            httpx.AsyncClient(base_url=url, trust_env=False) as http,
            Database(shop.system.database_url) as database,
        ):
            try:
                await channels.start()
                async with database.transaction() as connection:
                    await connection.execute("delete from endpoint")
                yield Senders(shop, channels, receiver, http, database)
                channels.check_log()
            finally:
                await channels.stop()
