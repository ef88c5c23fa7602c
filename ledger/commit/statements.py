"""The SQL of the commit path: load levels, lock them, look up known keys, write a batch. Decides nothing."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.commit.decide import Decision
from ledger.commit.event import EVENT_COLUMNS, event_of_row, timestamp
from ledger.commit.forms import Form, commit_statement, form_of, parameters
from ledger.commit.hold import STATES, Hold, HoldLine, answer_of_stored
from ledger.commit.stock import LevelKey, Stock
from ledger.database.connector import CheckedConnection
from ledger.errors import Refusal, refusal_from_stored

_SQL = files("ledger.commit") / "sql"

_OF_HOLD = ("owner", "customer", "reference", "version", "created_at", "expires_at", "source", "target")
HOLD_COLUMNS = ", ".join(("h.id", *(f"h.{n}" for n in _OF_HOLD), "l.shard, l.location, l.sku", *STATES))
"""What ``holds_of_rows`` needs of ``hold h`` and ``hold_line l``."""

COMMIT = (_SQL / "commit.sql").read_text()
READ = (_SQL / "read.sql").read_text()
MAKE = (_SQL / "make.sql").read_text()
KNOWN = (_SQL / "known.sql").read_text()
LOCK = (_SQL / "lock.sql").read_text()
HOLDS = (_SQL / "holds.sql").read_text().replace("{hold_columns}", HOLD_COLUMNS)
LOCK_HOLDS = (_SQL / "lock_holds.sql").read_text()
OVERDUE = (_SQL / "overdue.sql").read_text()
STORED = (_SQL / "stored.sql").read_text().replace("{event_columns}", EVENT_COLUMNS)


class Head(NamedTuple):
    """A shard's last seq after a commit, and when that was. ``at``: from when the times of the batch's holds count."""

    seq: int
    committed_at: datetime
    at: datetime | None = None


class Stored(NamedTuple):
    """What is stored under a key: the refusal, or the operation's events, and the hold that it was about."""

    request_hash: bytes
    refusal: Refusal | None
    events: tuple[dict[str, Any], ...]
    hold: dict[str, Any] | None = None


class ReadHolds(NamedTuple):
    """``now``: when they were read, by the database's clock."""

    holds: dict[str, Hold]
    now: datetime


class Known(NamedTuple):
    """An operation as it was asked for: its lines with the fields that were given. ``refusal`` if it was refused."""

    id: str
    lines: list[dict[str, Any]]
    refusal: Refusal | None


async def load(connection: CheckedConnection, keys: Iterable[LevelKey]) -> dict[LevelKey, Stock]:
    """The levels of ``keys``; creates those that have an item and no level yet. Never inside a transaction."""
    levels: dict[LevelKey, Stock] = {}
    ordered = sorted(keys)
    for shard, of_shard in groupby(ordered, key=lambda key: key.shard):
        _, locations, skus = _columns(list(of_shard))
        levels.update(await _levels(connection, read_statement(shard), locations, skus))
    for _ in range(2):
        missing = [key for key in ordered if key not in levels]
        if missing:
            levels.update(await _levels(connection, MAKE, *_columns(missing)))
    return levels


def read_statement(shard: int) -> str:
    return READ.replace("{shard}", str(int(shard)))


async def lock(connection: CheckedConnection, keys: Iterable[LevelKey]) -> dict[LevelKey, Stock]:
    """The levels of ``keys``, locked in their order until the transaction ends."""
    levels: dict[LevelKey, Stock] = {}
    for shard, of_shard in groupby(sorted(keys), key=lambda key: key.shard):
        _, locations, skus = _columns(list(of_shard))
        levels.update(await _levels(connection, lock_statement(shard), locations, skus))
    return levels


def lock_statement(shard: int) -> str:
    return LOCK.replace("{shard}", str(int(shard)))


async def _levels(connection: CheckedConnection, sql: str, *parameters: Any) -> dict[LevelKey, Stock]:
    rows: Sequence[Any] = await connection.fetch(sql, *parameters)
    return {LevelKey(row[0], row[1], row[2]): Stock(row[3], row[4], row[5], row[6]) for row in rows}


def _columns(keys: Sequence[LevelKey]) -> list[list[Any]]:
    return [list(column) for column in zip(*keys, strict=True)]


async def holds(connection: CheckedConnection, ids: Iterable[str]) -> ReadHolds:
    """Those of ``ids`` that there are."""
    rows: Sequence[Any] = await connection.fetch(HOLDS, list(ids))
    return ReadHolds(dict(holds_of_rows(rows)), rows[0]["now"])


def holds_of_rows(rows: Iterable[Any]) -> Iterator[tuple[str, Hold]]:
    """``rows``: of ``HOLD_COLUMNS``, those of one hold behind each other."""
    for known, of_hold in groupby(rows, key=itemgetter("id")):
        if known is None:
            continue
        first, *others = of_hold
        lines = {
            LevelKey(row["shard"], row["location"], row["sku"]): HoldLine(*(row[state] for state in STATES))
            for row in (first, *others)
            if row["shard"] is not None
        }
        yield str(known), Hold(str(known), lines=lines, **{name: first[name] for name in _OF_HOLD})


async def lock_holds(connection: CheckedConnection, ids: Iterable[str]) -> None:
    """Until the transaction ends. Before any level is locked."""
    await connection.fetch(LOCK_HOLDS, list(ids))


async def overdue(
    connection: CheckedConnection, keys: Sequence[LevelKey], limit: int, besides: Iterable[str]
) -> list[str]:
    """Holds ``besides`` these whose time is over and that still reserve units of one of ``keys``, the oldest first."""
    _, locations, skus = _columns(keys)
    return [str(row[0]) for row in await connection.fetch(OVERDUE, locations, skus, limit, list(besides))]


async def stored(connection: CheckedConnection, ids: Iterable[str]) -> dict[str, Stored]:
    """The operations among ``ids`` that are known already."""
    rows: Sequence[Any] = await connection.fetch(STORED, list(ids))
    found: dict[str, Stored] = {}
    events: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        id_, request_hash, refusal, hold, stored_at, *event = row
        operation = str(id_)
        if row["seq"] is not None:
            events.setdefault(operation, []).append(event_of_row(event))
        refused = None if refusal is None else refusal_from_stored(orjson.loads(refusal))
        answer = None if hold is None else answer_of_stored(_object(hold), stored_at)
        found[operation] = Stored(request_hash, refused, tuple(events.get(operation, ())), answer)
    return found


async def known(connection: AsyncConnection, ids: Iterable[str]) -> list[Known]:
    """What was asked for under those of ``ids`` that are known: whoever compares needs the lines, and no events."""
    rows: Sequence[Any] = (await connection.exec_driver_sql(KNOWN, (list(ids),))).all()
    return [
        Known(
            str(row[0]),
            [_asked(line) for line in _list(row[1])],
            None if row[2] is None else refusal_from_stored(_object(row[2])),
        )
        for row in rows
    ]


def _asked(line: dict[str, Any]) -> dict[str, Any]:
    moment = line.get("occurred_at")
    return line if moment is None else {**line, "occurred_at": timestamp(datetime.fromisoformat(moment))}


def _list(value: Any) -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return loaded


def _object(value: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(value) if isinstance(value, str | bytes) else value
    return loaded


async def write(connection: CheckedConnection, decision: Decision) -> dict[int, Head]:
    """Run the commit statement. Returns the head of each shard that got events.

    All or nothing: any database error means that nothing of the batch is written, except when the connection was lost,
    which proves nothing.
    """
    form, shard = form_of(decision)
    with_holds = bool(decision.holds_after)
    sql = statement(form, shard, holds=with_holds)
    rows: Sequence[Any] = await connection.fetch(sql, *parameters(decision, form))
    return {row[0]: Head(row[1], row[2], row[3] if with_holds else None) for row in rows}


@cache
def statement(form: Form, shard: int, *, holds: bool = False) -> str:
    """Made once: whatever a column is called or however many there are, a batch is not slower for it."""
    return commit_statement(COMMIT, form, shard, holds=holds)
