"""Requests about holds for tests of the commit path, and holds whose time is over."""

import secrets
from typing import Any

from sqlalchemy import text

from ledger.commit.operation import Operation, operation_id
from ledger.commit.plan import Plan
from ledger.commit.stock import LevelKey
from ledger.holds.reserve import Reserve, Wanted
from tests.ledger.commit_path import SHARDS, CommitPath
from wire.shards import shard_of

OWNER = "shop"


def at(sku: str, location: str = "berlin") -> LevelKey:
    return LevelKey(shard_of(location, SHARDS), location, sku)


def asking(plan_of: Any, key: str | None = None) -> Operation:
    """``plan_of``: a plan, or what makes one of the operation's id."""
    key = key or secrets.token_hex(8)
    own = operation_id(OWNER, key)
    plan: Plan = plan_of(own) if callable(plan_of) else plan_of
    return Operation(own, OWNER, key, b"hash", (), plan)


def reserving(*wanted: Wanted, ttl_s: int = 900, key: str | None = None) -> Operation:
    return asking(lambda own: Reserve(own, OWNER, wanted, ttl_s, "customer-7", "order-1"), key)


async def overdue(path: CommitPath, *holds: str) -> None:
    """Their time is over: as if it had passed."""
    async with path.engine.begin() as connection:
        for table, which in (("hold", "id = any(:ids)"), ("hold_line", "hold = any(:ids) and pending > 0")):
            await connection.execute(
                text(f"update {table} set expires_at = now() - interval '1 s' where {which}"),
                {"ids": list(holds)},
            )
