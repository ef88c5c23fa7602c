"""Channels of a running `stockwire channels` to one of the strict servers: made as their owner would, and looked at."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from followers.database.database import Database
from followers.log.ledger import SCOPES, Ledger
from followers.marketplaces.channels import Channel, Channels, Wish
from followers.marketplaces.mapping.lines import Line
from followers.marketplaces.mapping.mappings import Mappings
from followers.sealing import Seal
from tests.channels.shared.starting import Market
from tests.followers.running import SEALING_KEY
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S, wait_until

LOCATION = "berlin"
SCOPES_OF_PROCESS = (*SCOPES, "stock:read:*", "stock:write:*")


@dataclass(frozen=True, slots=True)
class Seller:
    """Who makes channels in ``database``, beside ``system``'s ledger."""

    system: System
    database: Database

    @property
    def channels(self) -> Channels:
        return Channels(self.database, Seal([SEALING_KEY]))

    async def channel(
        self,
        name: str,
        vendor: str,
        settings: Mapping[str, str],
        credentials: Mapping[str, str],
        mapped: Mapping[str, str],
        **more: Any,
    ) -> Channel:
        """``mapped``: sku by listing's id. From here on."""
        async with Ledger(self.system.ledger_url, await self.system.key("channels", *SCOPES)) as ledger:
            shards = await ledger.shards()
        heads = {one["shard"]: one["head"] for one in shards["shards"]}
        wish = Wish(settings=settings, locations=(LOCATION,), **more)
        owner = (await self.system.key("seller", "stock:read:*")).split("_")[1]
        made = await self.channels.add(name, vendor, owner, wish, credentials, shards["epoch"], heads)
        assert made is not None, f"there is a channel {name} already"
        await Mappings(self.database).put(name, [Line(remote, sku) for remote, sku in mapped.items()], owner)
        return made

    async def states(self, channel: str) -> dict[str, str]:
        """Of what goes out, by listing's id."""
        async with self.database.transaction() as connection:
            rows = await connection.fetch("select remote, state from outgoing where channel = $1", channel)
        return {row["remote"]: row["state"] for row in rows}

    async def standing(self, remotes: Iterable[str]) -> list[dict[str, str]]:
        """Of listings of all channels, for a failure."""
        async with self.database.transaction() as connection:
            rows = await connection.fetch(
                "select c.id, c.state as channel, c.reason, c.findings, clock_timestamp() as now, l.*, o.*,"
                " p.since, p.began_at, p.ended_at, p.polled_at from channel c join outgoing o on o.channel = c.id"
                " join channel_lease l on l.channel = c.id left join channel_poll p on p.channel = c.id"
                " where o.remote = any($1::text[])",
                list(remotes),
            )
        return [{name: str(value) for name, value in row.items()} for row in rows]


async def offered(market: Market, wanted: Mapping[str, int], within_s: float = PATIENCE_S) -> None:
    """Until the marketplace offers just that."""

    found: dict[str, int] = {}

    async def all_there() -> bool:
        levels = (await market.truth())["levels"]
        found.update({one: levels.get(one) for one in wanted})
        return found == dict(wanted)

    try:
        await wait_until(all_there, within_s)
    except AssertionError:
        raise AssertionError(f"{found} is offered and not {dict(wanted)}") from None


def sets_of(moved: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """What was set from outside: id and quantity, in order."""
    return [(one["id"], one["after"]) for one in moved if one["cause"] == "set"]
