"""Which shard a location stands in: read once, since it never changes; and where units are that go to it."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.database.reading import reading, writing
from server.lookups import Lookups
from server.problems import Invalid, NotFound
from wire.names import NAME_CHARACTERS_MAX
from wire.shards import shard_of

LOCATIONS_MAX = 100_000
KEEP_S = 300.0

TRANSIT = "transit:"
"""How the names of locations begin where units are on their way. What makes one such a location is its column
``transit_of``: a shop may have had a name like that before.
"""
_DIGITS = 16
"""Of the SHA-256 of a name that is too long to stand behind ``TRANSIT``."""

_ONE = text("select shard, transit_of from location where location = :location")
_SHARDS = text("select shards from ledger_meta")
_MAKE = text("""
    insert into location (location, name, shard, transit_of) values (:location, :name, :shard, :target)
    on conflict (location) do nothing
""")


class Located(NamedTuple):
    """``transit_of``: to which location the units are on their way that stand here."""

    shard: int
    transit_of: str | None


class Locations:
    """``epoch`` tells when history was rewritten: a restored database may not know a location any more."""

    def __init__(self, engine: AsyncEngine, epoch: Callable[[], str]) -> None:
        self._engine = engine
        self._epoch = epoch
        self._seen_epoch: str | None = None
        self._located: Lookups[str, Located] = Lookups(self._find, entries_max=LOCATIONS_MAX, keep_s=lambda _: KEEP_S)

    async def shard(self, location: str) -> int:
        """Raises NotFound or Unavailable."""
        return (await self._of(location)).shard

    async def shard_to_write(self, location: str, field: str = "location") -> int:
        """As ``shard``, for who moves units there. Raises Invalid where only transfers do."""
        located = await self._of(location)
        if located.transit_of is not None:
            raise Invalid(field, f"{location} is of units on their way, which only transfers move")
        return located.shard

    def known_shard_to_write(self, location: str) -> int | None:
        """What ``shard_to_write`` would say, if it would neither have to read anything for it nor raise."""
        located = self._located.peek(location) if self._epoch() == self._seen_epoch else None
        return None if located is None or located.transit_of is not None else located.shard

    async def transit(self, target: str) -> tuple[str, int]:
        """Where units stand that are on their way to ``target``: the location, made if need be, and its shard.

        Raises Invalid if it is somebody's own location.
        """
        location = transit_name(target)
        try:
            located = await self._of(location)
        except NotFound:
            await self._make(location, target)
            located = await self._of(location)
        if located.transit_of != target:
            raise Invalid("to", f"units go there by the location {location}, which is a location of your own")
        return location, located.shard

    async def _make(self, location: str, target: str) -> None:
        async with writing(self._engine) as connection:
            shards = (await connection.execute(_SHARDS)).scalar_one()
            name = f"In transit to {target}"
            values = {"location": location, "name": name, "shard": shard_of(location, shards), "target": target}
            await connection.execute(_MAKE, values)

    async def _of(self, location: str) -> Located:
        epoch = self._epoch()
        if epoch != self._seen_epoch:
            self._located.clear()
            self._seen_epoch = epoch
        return await self._located.get(location)

    async def _find(self, location: str) -> Located:
        async with reading(self._engine) as connection:
            row = (await connection.execute(_ONE, {"location": location})).one_or_none()
        if row is None:
            raise NotFound("location", location)
        return Located(int(row.shard), row.transit_of)


def transit_name(target: str) -> str:
    """Of the location where units are that go to ``target``: readable, and a name like all others however long."""
    name = TRANSIT + target
    if len(name) <= NAME_CHARACTERS_MAX:
        return name
    digits = hashlib.sha256(target.encode()).hexdigest()[:_DIGITS]
    return f"{name[: NAME_CHARACTERS_MAX - _DIGITS - 1]}~{digits}"
