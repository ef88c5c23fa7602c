"""The SQL of the commit path: load levels, lock them, look up known keys, write a batch. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from importlib.resources import files
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger.commit.decide import Decision
from ledger.commit.event import EVENT_COLUMNS, PARAMETERS, event_of_row, parameters_of, timestamp
from ledger.commit.operation import Line
from ledger.commit.stock import LevelKey, Stock
from ledger.errors import Refusal, refusal_as_stored, refusal_from_stored

_SQL = files("ledger.commit") / "sql"

LEVEL = {
    "shard": "int",
    "location": "text",
    "sku": "text",
    "on_hand": "int",
    "reserved": "int",
    "view_version": "bigint",
    "version": "bigint",
    "old": "bigint",
}
"""A level of the commit statement, with the types of its columns. ``old``: the version that it was decided on."""

OPERATION = {
    "id": "uuid",
    "owner": "text",
    "key": "text",
    "request_hash": "bytea",
    "lines": "jsonb",
    "refusal": "jsonb",
}
"""An operation of the commit statement."""


def commit_statement() -> str:
    """Rows are handed over as one array for each of their columns; arrays are numbered in the order of ``_parameters``.

    Made once: whatever a column is called or however many there are, a batch is not slower for it.
    """
    statement, first = (_SQL / "commit.sql").read_text(), 1
    for rows, columns in (("level", LEVEL), ("event", PARAMETERS), ("operation", OPERATION)):
        arrays = ", ".join(f"${number}::{sql_type}[]" for number, sql_type in enumerate(columns.values(), first))
        statement = statement.replace(f"{{{rows}_arrays}}", arrays).replace(f"{{{rows}_columns}}", ", ".join(columns))
        first += len(columns)
    return statement.replace("{shards}", f"${first}").replace("{steps}", f"${first + 1}")


COMMIT = commit_statement()
LOAD = (_SQL / "load.sql").read_text()
KNOWN = (_SQL / "known.sql").read_text()
LOCK = (_SQL / "lock.sql").read_text()
STORED = (_SQL / "stored.sql").read_text().replace("{event_columns}", EVENT_COLUMNS)


class Head(NamedTuple):
    """A shard's last seq after a commit, and when that was."""

    seq: int
    committed_at: datetime


class Stored(NamedTuple):
    """What is stored under a key: the refusal, or the operation's events."""

    request_hash: bytes
    refusal: Refusal | None
    events: tuple[dict[str, Any], ...]


class Known(NamedTuple):
    """An operation as it was asked for: its lines with the fields that were given. ``refusal`` if it was refused."""

    id: UUID
    lines: list[dict[str, Any]]
    refusal: Refusal | None


async def load(connection: AsyncConnection, keys: Sequence[LevelKey]) -> dict[LevelKey, Stock]:
    """The levels of ``keys``, sorted; creates those that have an item and no level yet. Never inside a transaction."""
    levels: dict[LevelKey, Stock] = {}
    for _ in range(2):
        missing = [key for key in keys if key not in levels]
        if missing:
            levels.update(await _levels(connection, LOAD, *_columns(missing, 3)))
    return levels


async def lock(connection: AsyncConnection, keys: Sequence[LevelKey]) -> dict[LevelKey, Stock]:
    """The levels of ``keys``, sorted, locked until the transaction ends."""
    levels: dict[LevelKey, Stock] = {}
    for shard, of_shard in groupby(keys, key=lambda key: key.shard):
        _, locations, skus = _columns(list(of_shard), 3)
        levels.update(await _levels(connection, lock_statement(shard), locations, skus))
    return levels


def lock_statement(shard: int) -> str:
    return LOCK.replace("{shard}", str(int(shard)))


async def _levels(connection: AsyncConnection, sql: str, *parameters: Any) -> dict[LevelKey, Stock]:
    rows: Sequence[Any] = (await connection.exec_driver_sql(sql, parameters)).all()
    return {LevelKey(row[0], row[1], row[2]): Stock(row[3], row[4], row[5], row[6]) for row in rows}


async def stored(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, Stored]:
    """The operations among ``ids`` that are known already."""
    rows: Sequence[Any] = (await connection.exec_driver_sql(STORED, (list(ids),))).all()
    found: dict[UUID, Stored] = {}
    events: dict[UUID, list[dict[str, Any]]] = {}
    for row in rows:
        stored_id, request_hash, refusal, *event = row
        operation = UUID(str(stored_id))
        if row.seq is not None:
            events.setdefault(operation, []).append(event_of_row(event))
        refused = None if refusal is None else refusal_from_stored(_object(refusal))
        found[operation] = Stored(request_hash, refused, tuple(events.get(operation, ())))
    return found


async def known(connection: AsyncConnection, ids: Iterable[UUID]) -> list[Known]:
    """What was asked for under those of ``ids`` that are known: whoever compares needs the lines, and no events."""
    rows: Sequence[Any] = (await connection.exec_driver_sql(KNOWN, (list(ids),))).all()
    return [
        Known(
            UUID(str(row[0])),
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


async def write(connection: AsyncConnection, decision: Decision) -> dict[int, Head]:
    """Run the commit statement. Returns the head of each shard that got events.

    All or nothing: any database error means that nothing of the batch is written, except when the connection was lost,
    which proves nothing.
    """
    rows: Sequence[Any] = (await connection.exec_driver_sql(COMMIT, _parameters(decision))).all()
    return {row[0]: Head(row[1], row[2]) for row in rows}


def _parameters(decision: Decision) -> tuple[list[Any], ...]:
    levels = [
        (*key, after.on_hand, after.reserved, after.view_version, after.version, decision.before[key].version)
        for key, after in sorted(decision.after.items())
    ]
    operations = [
        (o.id, o.owner, o.key, o.request_hash, _lines_json(o.lines), _refusal_json(refusal))
        for o, refusal in decision.stored
    ]
    return (
        *_columns(levels, len(LEVEL)),
        *_columns([parameters_of(event) for event in decision.events], len(PARAMETERS)),
        *_columns(operations, len(OPERATION)),
        sorted({key.shard for key in decision.after}),
        list(decision.steps.steps),
    )


def _columns(rows: Sequence[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _lines_json(lines: tuple[Line, ...]) -> str:
    return orjson.dumps([{k: v for k, v in _line_fields(line).items() if v is not None} for line in lines]).decode()


def _line_fields(line: Line) -> Mapping[str, Any]:
    return {
        "sku": line.sku,
        "location": line.location,
        "kind": line.kind,
        "quantity": line.quantity,
        "expected_version": line.expected_version,
        "reason": line.reason,
        "reference": line.reference,
        "occurred_at": line.occurred_at,
    }


def _refusal_json(refusal: Refusal | None) -> str | None:
    return None if refusal is None else orjson.dumps(refusal_as_stored(refusal)).decode()
