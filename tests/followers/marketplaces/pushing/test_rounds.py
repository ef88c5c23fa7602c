"""Rounds go on, whatever goes away in the middle of one."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from followers.database.database import Database, DatabaseAway
from followers.database.leases import Lease
from followers.log.ledger import Ledger
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.outgoing import Begun
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.pushing.rounds import Rounds
from followers.marketplaces.remote import Remote
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from tests.followers.marketplaces.pushing.test_sending import AllOrNothing
from tests.harness.waiting import PATIENCE_S, wait_until


class FiveOfAll(Ledger):
    async def some_levels(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        return [{"available": 5, "version": 1} for _ in keys]


async def test_a_database_that_goes_away_between_look_and_push_ends_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await Channels(database, Seal([new_sealing_key()])).add(
        "here", "any", "owner", Wish({}, ("shop",)), {}, "epoch", {0: 0}
    )
    assert made is not None
    async with database.transaction() as connection:
        await connection.execute("insert into mapping values ('here', 'mug', 'mug', null, 'us')")
        await connection.execute("insert into outgoing (channel, remote, sent_quantity) values ('here', 'mug', 9)")
        await connection.execute("update channel_lease set fence = 1")
    begin = outgoing.begin
    begun = 0

    async def away_once(*arguments: Any) -> Mapping[str, Begun]:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise DatabaseAway("it was killed")
        return await begin(*arguments)

    monkeypatch.setattr(outgoing, "begin", away_once)
    remote = Remote(Sessions(Addresses(), {}, timeout_s=PATIENCE_S), ())
    leased = LeasedChannel(made, AllOrNothing(set()), remote, Lease(1, time.monotonic() + 3_600))
    rounds = Rounds(database, FiveOfAll("http://127.0.0.1:1", "none"), leased, set(), Pushes())

    async def sent() -> bool:
        assert not running.done(), running.exception()
        async with database.transaction() as connection:
            row = await connection.fetchrow("select state, sent_quantity from outgoing")
        return (row["state"], row["sent_quantity"]) == ("rest", 5)

    running = asyncio.create_task(rounds.run(), name="rounds")
    try:
        await wait_until(sent)
    finally:
        running.cancel()
    assert begun == 2
