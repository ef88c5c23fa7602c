"""Requests about transfers for tests of the commit path."""

from typing import Any

from sqlalchemy import text

from ledger.commit.operation import Operation, Outcome
from ledger.database.locations import transit_name
from ledger.holds.transfer import End, Place, Send
from tests.ledger.commit_path import SHARDS, CommitPath
from tests.ledger.hold_requests import OWNER, asking
from wire.shards import shard_of


async def add_transit(path: CommitPath, *targets: str) -> None:
    """Where units on their way to these locations stand: the route makes them before it asks."""
    await path.add_catalog([], map(transit_name, targets))
    async with path.engine.begin() as connection:
        for target in targets:
            await connection.execute(
                text("update location set transit_of = :target where location = :name"),
                {"target": target, "name": transit_name(target)},
            )


def place(location: str) -> Place:
    return Place(location, shard_of(location, SHARDS))


def sending(units: dict[str, int], source: str = "berlin", target: str = "hamburg") -> Operation:
    transit = place(transit_name(target))
    return asking(lambda own: Send(own, OWNER, place(source), target, transit, units, "truck-1"))


def ending(transfer: Outcome, ending: str, to: str | None = None, **more: Any) -> Operation:
    assert transfer.hold is not None
    transit = place(transit_name(transfer.hold["to"]))
    where = None if to is None else place(to)
    places = [one for one in (transit, where) if one is not None]
    levels = [one.level(row["sku"]) for row in transfer.hold["lines"] for one in places]
    return asking(End(transfer.operation, levels, ending, where, **more))


async def sent(path: CommitPath, units: dict[str, int], source: str = "berlin", target: str = "hamburg") -> Outcome:
    return await path.writers.submit(sending(units, source, target))
