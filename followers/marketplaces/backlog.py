"""How all channels stand, of whatever process: read from the database when somebody asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from followers.database.database import Database
from followers.marketplaces.channels import ENABLED, PAUSED, STOPPED
from followers.marketplaces.reconciling import drifts

FOUND_MAX = 20
STATES = (ENABLED, PAUSED, STOPPED)
WAITING = ("due", "accepted", "unknown", "dead")
"""States of listings that do not offer what they shall, as far as is known."""

Counts = Mapping[str, int]
"""By channel; one that has none has 0."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """``states``: channels by state. ``listings``: by channel and WAITING. ``unmapped``: orders with a line that is
    mapped to nothing; ``oversold``: lines that nobody has settled. ``poll_age_s``: by channel, since the end of the
    last whole poll, or since the channel was made. ``drift``: what is open, by channel and class, without zeros.
    """

    states: Mapping[str, int]
    listings: Mapping[tuple[str, str], int]
    orders: Counts
    unmapped: Counts
    oversold: Counts
    notices: Counts
    poll_age_s: Mapping[str, float]
    drift: Mapping[tuple[str, str], int]

    @property
    def channels(self) -> Sequence[str]:
        return list(self.poll_age_s)

    @property
    def dead(self) -> Counts:
        return {channel: count for (channel, state), count in self.listings.items() if state == "dead"}


class Backlogs:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counted(self) -> Backlog:
        async with self._database.transaction() as connection:
            channels = await connection.fetch(_CHANNELS)
            listings = await connection.fetch(_LISTINGS)
            found = [await connection.fetch(query) for query in (_ORDERS, _UNMAPPED, _OVERSOLD, _NOTICES)]
            drift = await drifts.counts(connection)
        ages = {row["id"]: float(row["poll_age_s"]) for row in channels}
        orders, unmapped, oversold, notices = (
            dict.fromkeys(ages, 0) | {row["channel"]: int(row["n"]) for row in rows} for rows in found
        )
        states = [row["state"] for row in channels]
        return Backlog(
            {state: states.count(state) for state in STATES},
            {(channel, state): 0 for channel in ages for state in WAITING}
            | {(row["channel"], row["state"]): int(row["n"]) for row in listings},
            orders,
            unmapped,
            oversold,
            notices,
            ages,
            drift,
        )

    async def stopped(self) -> list[tuple[str, str]]:
        """Channels, each with its reason; at most FOUND_MAX, as of the others."""
        return await self._told("select id, reason from channel where state = 'stopped' order by id limit $1")

    async def found_wrong(self) -> list[tuple[str, str]]:
        """Of channels that let us in, what their last check found."""
        return await self._told(
            "select id, finding as reason from channel, unnest(findings) with ordinality as f(finding, number)"
            " where state = 'enabled' order by id, number limit $1"
        )

    async def not_repaired(self) -> list[tuple[str, str]]:
        """Channels whose last reconciliation did not come to its end or repaired nothing, each with the reason."""
        return await self._told(_NOT_REPAIRED)

    async def locations(self) -> list[str]:
        """Those that channels sell from which work, at most FOUND_MAX."""
        async with self._database.transaction() as connection:
            rows: Sequence[Any] = await connection.fetch(_LOCATIONS, FOUND_MAX)
        return [row["location"] for row in rows]

    async def owners(self) -> dict[str, list[str]]:
        """Channels which work, by the id of the API key that made them."""
        async with self._database.transaction() as connection:
            rows: Sequence[Any] = await connection.fetch(
                "select owner, array_agg(id) as channels from channel where state <> 'paused' group by owner"
            )
        return {row["owner"]: row["channels"] for row in rows}

    async def _told(self, query: str) -> list[tuple[str, str]]:
        async with self._database.transaction() as connection:
            rows: Sequence[Any] = await connection.fetch(query, FOUND_MAX)
        return [(row["id"], row["reason"] or "") for row in rows]


_CHANNELS = """
select c.id, c.state,
       greatest(0, extract(epoch from clock_timestamp() - coalesce(p.ended_at, c.created_at)))::float8 as poll_age_s
  from channel c left join channel_poll p on p.channel = c.id
 order by c.id
"""
_LISTINGS = """
select channel, state, count(*) as n from outgoing where state in ('due', 'accepted', 'unknown') group by 1, 2
union all
select channel, state, count(*) from outgoing where state = 'dead' group by 1, 2
"""
_LOCATIONS = """
select distinct location from channel, unnest(locations) as location where state = 'enabled' order by location limit $1
"""
_ORDERS = "select channel, count(*) as n from channel_order where due_at is not null group by 1"
_UNMAPPED = "select channel, count(*) as n from channel_order where unmapped <> '{}' group by 1"
_OVERSOLD = "select channel, count(*) as n from oversold where resolved_at is null group by 1"
_NOTICES = "select channel, count(*) as n from channel_notice where applied_at is null group by 1"
_NOT_REPAIRED = """
select c.id, last.stopped as reason
  from channel c cross join lateral (
    select stopped from reconciliation r where r.channel = c.id and ended_at is not null order by r.id desc limit 1
  ) last
 where last.stopped is not null
 order by c.id limit $1
"""
