"""Databases as older versions left them, and what is asked of them."""

import json
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

import asyncpg
from alembic import command
from sqlalchemy import Connection

from ledger import migrations
from ledger.commit.decide import Decision
from ledger.commit.operation import operation_id
from ledger.migrations import _config, _migrating

COMMIT_0001 = Path(__file__).with_name("commit_0001.sql")
"""The statement of the last ledgers that know schema 0001 and count no views, to the letter."""
_EVENT_0001 = """
    shard location sku version kind on_hand_delta reserved_delta on_hand reserved operation actor reason reference
    occurred_at
"""
EVENT_0001 = tuple(_EVENT_0001.split())
"""The fields of an event that it is handed, in its order."""


async def expand_to(url: str, revision: str, say: Callable[[str], None] = lambda _: None) -> None:
    """As a ``stockwire migrate`` of the version whose newest schema that was."""

    def upgrade(connection: Connection) -> None:
        command.upgrade(_config(connection, migrations.SHARDS_DEFAULT, say), revision)

    async with _migrating(url) as connection:
        await connection.run_sync(upgrade)


class OldLedger:
    """The commit statement of schema 0001's ledgers, as they ran it: one batch of changes of one level."""

    def __init__(self, connection: "asyncpg.Connection") -> None:
        self._connection = connection
        self._statement = COMMIT_0001.read_text()

    async def commit(
        self, sku: str, old: int, *on_hand: int, before: int = 0, location: str = "rome", shard: int = 0
    ) -> None:
        """``on_hand``: after each change, from ``before``; ``old``: the version that it was decided on."""
        versions = range(old + 1, old + 1 + len(on_hand))
        key, n = token_hex(8), len(on_hand)
        operation = operation_id("till", key)
        lines = [{"sku": sku, "location": location, "kind": "count", "quantity": counted} for counted in on_hand]
        deltas = [after - since for since, after in zip((before, *on_hand), on_hand, strict=False)]
        levels: tuple[Any, ...] = ([shard], [location], [sku], [on_hand[-1]], [0], [versions[-1]], [old])
        events: tuple[Any, ...] = (
            *([shard] * n, [location] * n, [sku] * n, [*versions], ["count"] * n, deltas, [0] * n, [*on_hand], [0] * n),
            *([operation] * n, ["till"] * n, [None] * n, [None] * n, [None] * n),
        )
        operations: tuple[Any, ...] = ([operation], ["till"], [key], [b"hash"], [json.dumps(lines)], [None])
        await self._connection.fetch(self._statement, *levels, *events, *operations, [shard])

    async def write(self, decision: Decision) -> None:
        """What a ledger that counts would write as well, without its counts."""
        levels = [
            (*key, after.on_hand, after.reserved, after.version, decision.before[key].version)
            for key, after in sorted(decision.after.items())
        ]
        events = [tuple(event[name] for name in EVENT_0001) for event in decision.events]
        operations = [
            (one.id, one.owner, one.key, one.request_hash, "[]", None if refusal is None else "{}")
            for one, refusal, *_ in decision.stored
        ]
        arrays = [*_columns(levels, 7), *_columns(events, len(EVENT_0001)), *_columns(operations, 6)]
        await self._connection.fetch(self._statement, *arrays, sorted({key.shard for key in decision.after}))


def _columns(rows: list[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]
