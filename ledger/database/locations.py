"""Which shard a location stands in: read once, since it never changes."""

from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.database.reading import reading
from server.lookups import Lookups
from server.problems import NotFound

LOCATIONS_MAX = 100_000
KEEP_S = 300.0

_SHARD = text("select shard from location where location = :location")


class Locations:
    """``epoch`` tells when history was rewritten: a restored database may not know a location any more."""

    def __init__(self, engine: AsyncEngine, epoch: Callable[[], str]) -> None:
        self._engine = engine
        self._epoch = epoch
        self._seen_epoch: str | None = None
        self._shards: Lookups[str, int] = Lookups(self._find, entries_max=LOCATIONS_MAX, keep_s=lambda _: KEEP_S)

    async def shard(self, location: str) -> int:
        """Raises NotFound or Unavailable."""
        epoch = self._epoch()
        if epoch != self._seen_epoch:
            self._shards.clear()
            self._seen_epoch = epoch
        return await self._shards.get(location)

    def known_shard(self, location: str) -> int | None:
        """What ``shard`` would say, if it would not have to read anything for it."""
        return self._shards.peek(location) if self._epoch() == self._seen_epoch else None

    async def _find(self, location: str) -> int:
        async with reading(self._engine) as connection:
            shard = (await connection.execute(_SHARD, {"location": location})).scalar_one_or_none()
        if shard is None:
            raise NotFound("location", location)
        return int(shard)
