"""Endpoints as they are stored: who is sent what, their sealed secrets, and what became of the last attempts."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from followers.database.database import Database
from followers.webhooks.planning import LATEST, Interest

ATTEMPTS_MAX = 100
"""Kept for each endpoint: what its owner is shown."""
NOTICES_MAX = 100
"""That wait for one endpoint: its owner may ask for tests while it is paused."""
SPANS_MAX = 1_000
"""Of replays that wait for one endpoint: one of all 64 shards, and some more."""
CHANGEABLE = ("url", "types", "locations", "skus", "mode", "batch", "rate_per_s")
ENABLED, PAUSED, DISABLED = "enabled", "paused", "disabled"
_LISTS = ("scopes", "types", "locations", "skus")
_COLUMNS = (
    *("id", "owner", "scopes", "url", "types", "locations", "skus", "mode", "batch", "rate_per_s"),
    *("state", "reason", "created_at"),
)
_LOCK = "select from lease where endpoint = $1 for update"
"""First: whoever sends has a share of it before it locks anything else, so that nobody waits for who waits for them."""
COLUMNS = ", ".join(f"e.{name}" for name in _COLUMNS)


@dataclass(frozen=True, slots=True)
class New:
    """What somebody asks for. ``owner``: the id of the API key that asks; ``scopes``: that key's then.

    ``locations``, ``skus``: empty means all that the scopes show. ``rate_per_s``: None for no limit of its own.
    """

    owner: str
    scopes: tuple[str, ...]
    url: str
    types: tuple[str, ...]
    locations: tuple[str, ...] = ()
    skus: tuple[str, ...] = ()
    mode: str = "every"
    batch: int = 1
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``state``: enabled, paused (by its owner) or disabled (by its failures; then ``reason`` says which)."""

    id: str
    owner: str
    scopes: tuple[str, ...]
    url: str
    types: tuple[str, ...]
    locations: tuple[str, ...]
    skus: tuple[str, ...]
    mode: str
    batch: int
    rate_per_s: float | None
    state: str
    reason: str | None
    created_at: datetime

    @property
    def interest(self) -> Interest:
        return Interest(
            types=frozenset(self.types),
            locations=frozenset(self.locations),
            skus=frozenset(self.skus),
            scopes=frozenset(self.scopes),
            latest=self.mode == LATEST,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One message that was sent, or could not be. ``version``, ``location``, ``sku``: None of a batch or a notice."""

    message: str
    type: str
    location: str | None
    sku: str | None
    version: int | None
    at: datetime
    status: int | None
    failure: str | None
    excerpt: str
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class Standing:
    """``levels_behind``: that wait to be sent. ``failing_since``: of failures only, without a success in between."""

    levels_behind: int
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Span:
    """Events of one shard from ``first`` to ``last``, both of them too, of the history ``epoch``."""

    epoch: str
    shard: int
    first: int
    last: int


class Endpoints:
    """``owner``: whose endpoint it must be; None: anybody's. All raise DatabaseAway."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, new: New, sealed: bytes, epoch: str, heads: Mapping[int, int]) -> Endpoint:
        """``epoch``, ``heads``: of the log as it is now: the endpoint is sent what comes behind them."""
        identifier = f"wh_{secrets.token_hex(12)}"
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "insert into endpoint as e"
                " (id, owner, scopes, url, types, locations, skus, mode, batch, rate_per_s, sealed)"
                f" values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) returning {COLUMNS}",
                *(identifier, new.owner, new.scopes, new.url, new.types, new.locations, new.skus),
                *(new.mode, new.batch, new.rate_per_s, sealed),
            )
            await connection.execute("insert into lease (endpoint) values ($1)", identifier)
            await connection.execute("insert into standing (endpoint) values ($1)", identifier)
            await connection.execute(
                "insert into position (endpoint, shard, epoch, seq)"
                " select $1, s.shard, $2, s.head from unnest($3::int[], $4::bigint[]) as s(shard, head)",
                *(identifier, epoch, list(heads), list(heads.values())),
            )
        return endpoint_of(row)

    async def get(self, identifier: str, owner: str | None = None) -> Endpoint | None:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                f"select {COLUMNS} from endpoint e where id = $1 and ($2::text is null or owner = $2)",
                *(identifier, owner),
            )
        return None if row is None else endpoint_of(row)

    async def page(self, owner: str | None = None, after: str = "", limit: int = 100) -> list[Endpoint]:
        """By id."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                f"select {COLUMNS} from endpoint e where id > $1 and ($2::text is null or owner = $2)"
                " order by id limit $3",
                *(after, owner, limit),
            )
        return [endpoint_of(row) for row in rows]

    async def count(self, owner: str) -> int:
        async with self._database.transaction() as connection:
            return int(await connection.fetchval("select count(*) from endpoint where owner = $1", owner))

    async def change(self, identifier: str, values: Mapping[str, Any], owner: str | None = None) -> Endpoint | None:
        """``values``: of what is in CHANGEABLE. What is behind already is looked at again when it is sent."""
        assert set(values) <= set(CHANGEABLE), values
        settings = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, 3))
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                f"update endpoint e set {settings or 'url = url'} where id = $1 and ($2::text is null or owner = $2)"
                f" returning {COLUMNS}",
                *(identifier, owner, *values.values()),
            )
        return None if row is None else endpoint_of(row)

    async def pause(self, identifier: str, owner: str | None = None) -> Endpoint | None:
        return await self._set_state(identifier, owner, PAUSED)

    async def resume(self, identifier: str, owner: str | None = None) -> Endpoint | None:
        """Also of one that was disabled: it goes on where it was, and everything that waits is due now."""
        return await self._set_state(identifier, owner, ENABLED)

    async def remove(self, identifier: str, owner: str | None = None) -> bool:
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK, identifier)
            found = await connection.fetchval(
                "delete from endpoint where id = $1 and ($2::text is null or owner = $2) returning id",
                *(identifier, owner),
            )
        return found is not None

    async def sealed(self, identifier: str) -> bytes | None:
        """Its keys, as they were sealed last; None if there is no such endpoint."""
        async with self._database.transaction() as connection:
            found: bytes | None = await connection.fetchval("select sealed from endpoint where id = $1", identifier)
        return found

    async def all_sealed(self, identifiers: Sequence[str]) -> dict[str, bytes]:
        """Of those that there are."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select id, sealed from endpoint where id = any($1::text[])", list(identifiers)
            )
        return {row["id"]: row["sealed"] for row in rows}

    async def reseal(self, identifier: str, before: bytes, sealed: bytes) -> bool:
        """False, and nothing is done, if they are no longer what they were before: somebody else was quicker."""
        async with self._database.transaction() as connection:
            found = await connection.fetchval(
                "update endpoint set sealed = $3 where id = $1 and sealed = $2 returning id",
                *(identifier, before, sealed),
            )
        return found is not None

    async def attempts(self, identifier: str, limit: int = ATTEMPTS_MAX) -> list[Attempt]:
        """The newest first."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                "select message, type, location, sku, version, at, status, failure, excerpt, elapsed_ms"
                " from attempt where endpoint = $1 order by number desc limit $2",
                *(identifier, limit),
            )
        return [Attempt(*row.values()) for row in rows]

    async def standing(self, identifier: str) -> Standing:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                "select (select count(*) from behind where endpoint = $1) as behind,"
                " (select failing_since from standing where endpoint = $1) as failing_since",
                identifier,
            )
        return Standing(row["behind"], row["failing_since"])

    async def notify(self, identifier: str, type_: str, data: Mapping[str, Any]) -> str | None:
        """A message that no event stands behind, such as ``webhook.test``. Returns its id; None if NOTICES_MAX wait."""
        notice = f"notice_{secrets.token_hex(12)}"
        async with self._database.transaction() as connection:
            found: str | None = await connection.fetchval(
                "insert into notice (endpoint, id, type, data) select e.id, $2, $3, $4::jsonb from endpoint e"
                " where e.id = $1 and (select count(*) from notice where endpoint = $1) < $5 returning id",
                *(identifier, notice, type_, json.dumps(data), NOTICES_MAX),
            )
        return found

    async def replay(self, identifier: str, spans: Sequence[Span]) -> str | None:
        """Sends the events in ``spans`` once more, those that the endpoint wants, behind live ones. Returns its id;
        None if SPANS_MAX wait."""
        replay = f"replay_{secrets.token_hex(12)}"
        async with self._database.transaction() as connection:
            waiting = await connection.fetchval("select count(*) from replay where endpoint = $1", identifier)
            if waiting >= SPANS_MAX:
                return None
            await connection.executemany(
                "insert into replay (endpoint, id, epoch, shard, next_seq, until_seq) values ($1, $2, $3, $4, $5, $6)",
                [(identifier, replay, span.epoch, span.shard, span.first, span.last) for span in spans],
            )
        return replay

    async def hurry(self, identifier: str) -> int:
        """What failed and waits for its next attempt is due now. Returns how many levels."""
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK, identifier)
            return int(
                await connection.fetchval(
                    "with due as (update behind set due_at = now() where endpoint = $1 and attempt > 0 returning 1)"
                    " select count(*) from due",
                    identifier,
                )
            )

    async def failed(self, identifier: str) -> int:
        """How many levels ``hurry`` would send."""
        async with self._database.transaction() as connection:
            return int(
                await connection.fetchval("select count(*) from behind where endpoint = $1 and attempt > 0", identifier)
            )

    async def _set_state(self, identifier: str, owner: str | None, state: str) -> Endpoint | None:
        async with self._database.transaction() as connection:
            await connection.execute(_LOCK, identifier)
            row = await connection.fetchrow(
                "update endpoint e set state = $3, reason = null"
                f" where id = $1 and ($2::text is null or owner = $2) returning {COLUMNS}",
                *(identifier, owner, state),
            )
            if row is not None and state == ENABLED:
                await connection.execute("update behind set due_at = now() where endpoint = $1", identifier)
                await connection.execute(
                    "update standing set failing_since = null, failed_at = null where endpoint = $1", identifier
                )
        return None if row is None else endpoint_of(row)


def endpoint_of(row: Any) -> Endpoint:
    """``row``: of ``COLUMNS``, among others."""
    values = {name: row[name] for name in _COLUMNS}
    return Endpoint(**{**values, **{name: tuple(values[name]) for name in _LISTS}})
