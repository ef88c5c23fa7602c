"""Channels as they are stored: places outside that sell, each one remote stock location, with sealed credentials."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from followers.channel_types import STOPPED as TELL_STOPPED
from followers.database.database import Connection, Database
from followers.database.notices import tell
from followers.sealing import Seal

ENABLED, PAUSED, STOPPED = "enabled", "paused", "stopped"
CHANNELS_MAX = 1_000
"""Of all owners together: each costs some loops of the process that holds it."""
_COLUMNS = (
    *("id", "vendor", "owner", "settings", "locations", "share", "buffer", "safety", "cap", "notices_url", "policy"),
    *("state", "reason", "findings", "checked_at", "revision", "created_at"),
)
COLUMNS = ", ".join(f"c.{name}" for name in _COLUMNS)
_LISTS = ("locations", "findings")
_OBJECTS = ("settings", "policy")


@dataclass(frozen=True, slots=True)
class Wish:
    """What an owner says of a channel. ``locations``: in order of preference: orders are taken from them so.

    A listing offers ``share`` of what is available there, less ``safety`` (units that no channel sells) and ``buffer``
    (what may be sold there before we know), never below 0 nor above ``cap``.
    """

    settings: Mapping[str, str]
    locations: tuple[str, ...]
    share: Decimal = Decimal(1)
    buffer: int = 0
    safety: int = 0
    cap: int | None = None
    notices_url: str | None = None
    policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Channel:
    """``state``: enabled, paused (by its owner), or stopped (it does not let us in; ``reason`` says why).

    ``findings``: what the last check found. ``revision``: another one whenever its owner has changed something.
    """

    id: str
    vendor: str
    owner: str
    settings: Mapping[str, str]
    locations: tuple[str, ...]
    share: Decimal
    buffer: int
    safety: int
    cap: int | None
    notices_url: str | None
    policy: Mapping[str, Any]
    state: str
    reason: str | None
    findings: tuple[str, ...]
    checked_at: datetime | None
    revision: int
    created_at: datetime


class Channels:
    """``owner``: whose channel it must be; None: anybody's. All raise DatabaseAway."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self._database = database
        self._seal = seal

    async def add(
        self,
        identifier: str,
        vendor: str,
        owner: str,
        wish: Wish,
        credentials: Mapping[str, str],
        epoch: str,
        heads: Mapping[int, int],
    ) -> Channel | None:
        """``epoch``, ``heads``: of the log as it is now: what comes behind them is followed. None: there is one of that
        name."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "insert into channel as c (id, vendor, owner, sealed, settings, locations, share, buffer, safety, cap,"
                " notices_url, policy) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
                f" on conflict (id) do nothing returning {COLUMNS}",
                *(identifier, vendor, owner, self._sealed(credentials), *_values(wish)),
            )
            if row is None:
                return None
            await connection.execute("insert into channel_lease (channel) values ($1)", identifier)
            await connection.execute("insert into channel_poll (channel) values ($1)", identifier)
            await connection.execute(
                "insert into channel_position (channel, shard, epoch, seq)"
                " select $1, s.shard, $2, s.head from unnest($3::int[], $4::bigint[]) as s(shard, head)",
                *(identifier, epoch, list(heads), list(heads.values())),
            )
        return channel_of(row)

    async def count(self) -> int:
        async with self._database.transaction() as connection:
            return int(await connection.fetchval("select count(*) from channel"))

    async def get(self, identifier: str, owner: str | None) -> Channel | None:
        async with self._database.transaction() as connection:
            return _maybe(await connection.fetchrow(f"select {COLUMNS} from channel c where {_OF}", identifier, owner))

    async def page(self, owner: str | None, after: str, limit: int) -> list[Channel]:
        """By id."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"select {COLUMNS} from channel c where c.id > $1 and ($2::text is null or c.owner = $2)"
                " order by c.id limit $3",
                *(after, owner, limit),
            )
        return [channel_of(row) for row in rows]

    async def change(
        self, identifier: str, owner: str | None, wish: Wish, credentials: Mapping[str, str] | None
    ) -> Channel | None:
        """``credentials``: None leaves them as they are. A stopped one is enabled: it was changed for that. All of its
        listings are computed anew."""
        sealed = None if credentials is None else self._sealed(credentials)
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                f"update channel c set sealed = coalesce($3, sealed), {_SET}, revision = revision + 1,"
                " state = case state when 'stopped' then 'enabled' else state end, reason = null,"
                f" checked_at = null where {_OF} returning {COLUMNS}",
                *(identifier, owner, sealed, *_values(wish)),
            )
            if row is not None:
                await connection.execute(_ALL_DUE, identifier)
        return _maybe(row)

    async def pause(self, identifier: str, owner: str | None) -> Channel | None:
        return await self._turn(identifier, owner, PAUSED)

    async def resume(self, identifier: str, owner: str | None) -> Channel | None:
        return await self._turn(identifier, owner, ENABLED)

    async def remove(self, identifier: str, owner: str | None) -> bool:
        """With all that is known of it. What its orders have booked stays booked."""
        async with self._database.transaction() as connection:
            done = await connection.execute(f"delete from channel c where {_OF}", identifier, owner)
        return bool(done != "DELETE 0")

    async def credentials(self, identifier: str) -> Mapping[str, str]:
        """Empty if there is none of that name. Raises SealBroken."""
        async with self._database.transaction() as connection:
            sealed = await connection.fetchval("select sealed from channel where id = $1", identifier)
        return {} if sealed is None else self.opened(sealed)

    def opened(self, sealed: bytes) -> Mapping[str, str]:
        """Raises SealBroken."""
        found: dict[str, str] = orjson.loads(self._seal.open(sealed))
        return found

    async def held(self, identifiers: Sequence[str]) -> list[tuple[Channel, bytes]]:
        """With what is sealed."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"select {COLUMNS}, c.sealed from channel c where c.id = any($1::text[])", list(identifiers)
            )
        return [(channel_of(row), bytes(row["sealed"])) for row in rows]

    def _sealed(self, credentials: Mapping[str, str]) -> bytes:
        return self._seal.seal(orjson.dumps(dict(credentials)))

    async def _turn(self, identifier: str, owner: str | None, state: str) -> Channel | None:
        async with self._database.transaction() as connection:
            return _maybe(
                await connection.fetchrow(
                    "update channel c set state = $3, reason = null, revision = revision + 1,"
                    f" checked_at = null where {_OF} returning {COLUMNS}",
                    *(identifier, owner, state),
                )
            )


async def stop(connection: Connection, channel: str, reason: str) -> None:
    """It does not let us in: its owner's webhooks are told. Once: one that is stopped keeps its first reason."""
    stopped = await connection.fetchval(
        "update channel set state = 'stopped', reason = $2 where id = $1 and state = 'enabled' returning true",
        *(channel, reason),
    )
    if stopped:
        await tell(connection, TELL_STOPPED, channel, {"reason": reason})


async def checked(connection: Connection, channel: str, findings: Sequence[str]) -> None:
    """It lets us in: one that was stopped goes on."""
    await connection.execute(
        "update channel set findings = $2, checked_at = now(), reason = null,"
        " state = case state when 'stopped' then 'enabled' else state end where id = $1",
        *(channel, list(findings)),
    )


async def look_again(connection: Connection, channel: str) -> None:
    """The time of the last check, whatever came of it."""
    await connection.execute("update channel set checked_at = now() where id = $1", channel)


def channel_of(row: Mapping[str, Any]) -> Channel:
    values = {name: row[name] for name in _COLUMNS}
    values |= {name: tuple(values[name]) for name in _LISTS}
    values |= {name: json.loads(values[name]) for name in _OBJECTS}
    return Channel(**values)


def _maybe(row: Mapping[str, Any] | None) -> Channel | None:
    return None if row is None else channel_of(row)


def _values(wish: Wish) -> tuple[Any, ...]:
    """As ``_SET`` has them."""
    settings, policy = json.dumps(dict(wish.settings)), json.dumps(dict(wish.policy or {}))
    return (
        *(settings, list(wish.locations), wish.share, wish.buffer, wish.safety, wish.cap, wish.notices_url),
        policy,
    )


_OF = "c.id = $1 and ($2::text is null or c.owner = $2)"
_SET = "settings = $4, locations = $5, share = $6, buffer = $7, safety = $8, cap = $9, notices_url = $10, policy = $11"
_ALL_DUE = """
update outgoing set state = 'due', due_at = now(), attempt = 0, changed_at = now()
 where channel = $1 and state in ('rest', 'due', 'dead')
"""
