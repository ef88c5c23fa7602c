"""How all webhooks stand, of whatever process: read from the database when somebody asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from followers.database.database import Database
from followers.webhooks.endpoints import DISABLED, ENABLED, PAUSED

FOUND_MAX = 100


@dataclass(frozen=True, slots=True)
class Backlog:
    """``endpoints``: by state. ``levels``: that wait to be sent, counted for each endpoint."""

    endpoints: Mapping[str, int]
    levels: int


@dataclass(frozen=True, slots=True)
class Ailing:
    """An endpoint that is disabled, for ``reason``, or has met nothing but failures ``since``."""

    id: str
    host: str
    reason: str | None
    since: datetime | None


class Backlogs:
    """All methods raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def counted(self) -> Backlog:
        async with self._database.transaction() as connection:
            rows = await connection.fetch("select state, count(*) from endpoint group by state")
            levels = await connection.fetchval("select count(*) from behind")
        states = {row["state"]: int(row["count"]) for row in rows}
        return Backlog({state: states.get(state, 0) for state in (ENABLED, PAUSED, DISABLED)}, int(levels))

    async def disabled(self) -> list[Ailing]:
        """At most FOUND_MAX."""
        return await self._found("e.state = 'disabled'")

    async def failing(self, longer_than: timedelta) -> list[Ailing]:
        """Of those that are enabled, the longest first, at most FOUND_MAX."""
        return await self._found("e.state = 'enabled' and s.failing_since < now() - $2::interval", longer_than)

    async def _found(self, which: str, *more: Any) -> list[Ailing]:
        async with self._database.transaction() as connection:
            rows: Sequence[Any] = await connection.fetch(
                "select e.id, e.url, e.reason, s.failing_since from endpoint e join standing s on s.endpoint = e.id"
                f" where {which} order by s.failing_since, e.id limit $1",
                *(FOUND_MAX, *more),
            )
        return [Ailing(row["id"], _host(row["url"]), row["reason"], row["failing_since"]) for row in rows]


def _host(url: str) -> str:
    """Nothing behind it: a token of the receiver's may stand there."""
    return urlsplit(url).hostname or ""
