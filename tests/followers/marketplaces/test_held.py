"""A channel that cannot be begun is stopped with its reason; those beside it, and their process, go on."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from followers.database.database import Database
from followers.database.leases import CHANNELS, Leases
from followers.marketplaces.channels import Channels, Wish
from followers.marketplaces.held import Held
from followers.marketplaces.leased import LeasedChannel
from followers.marketplaces.vendors import GROUP, Vendors
from followers.outward.addresses import Addresses
from followers.outward.sessions import Sessions
from followers.sealing import Seal, new_sealing_key
from followers.settings import LEASE_S_MIN
from tests.harness.waiting import PATIENCE_S, wait_until

EBAY = EntryPoint("ebay", "followers.marketplaces.ebay.adapter:Ebay", GROUP)
LEASE_S = 15.0


GOOD = {"client_secret": "secret", "refresh_token": "token"}


async def test_channels_that_were_let_go_at_the_end_are_not_taken_again(database: Database) -> None:
    """Others would wait for leases that nobody works under."""
    stored = Channels(database, Seal([new_sealing_key()]))
    await stored.add("whole", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), GOOD, "epoch", {0: 0})
    leases, sessions = Leases(database, LEASE_S, "test", CHANNELS), Sessions(Addresses(), {}, timeout_s=1.0)
    held = Held(database, leases, stored, Vendors(lambda: [EBAY]), sessions, [], LEASE_S)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(held.run())
        await wait_until(lambda: _now(held.channels))
        await held.end()
    await leases.give_back()
    assert not held.channels
    async with database.transaction() as connection:
        assert await connection.fetchval("select holder from channel_lease") is None


async def _now(channels: Mapping[str, object]) -> bool:
    return bool(channels)


class Stubborn:
    """A Work, which ends when it likes."""

    def __init__(self) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()

    def loops(self, _: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        return {"stubborn": self._run}

    async def _run(self) -> None:
        self.begun.set()
        while not self.may_end.is_set():
            with suppress(asyncio.CancelledError):
                await self.may_end.wait()


async def test_a_channel_that_does_not_end_holds_nobody_up_for_as_long_as_the_shortest_lease(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    stored = Channels(database, Seal([new_sealing_key()]))
    await stored.add("stuck", "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), GOOD, "epoch", {0: 0})
    leases, sessions = Leases(database, LEASE_S_MIN, "test", CHANNELS), Sessions(Addresses(), {}, timeout_s=1.0)
    work = Stubborn()
    held = Held(database, leases, stored, Vendors(lambda: [EBAY]), sessions, [work], LEASE_S_MIN)
    async with asyncio.timeout(PATIENCE_S):
        running = asyncio.create_task(held.run())
        await work.begun.wait()
        await held.end()
        work.may_end.set()
        await running
    assert "a channel does not end, its adapter holds it up channel=stuck within_s=0.5" in caplog.text


async def test_a_channel_whose_adapter_lacks_what_it_needs_is_stopped_alone(database: Database) -> None:
    stored = Channels(database, Seal([new_sealing_key()]))
    for name, credentials in (("lacking", {}), ("whole", GOOD)):
        await stored.add(name, "ebay", "owner", Wish({"client_id": "app"}, ("shop",)), credentials, "epoch", {0: 0})
    leases, sessions = Leases(database, LEASE_S, "test", CHANNELS), Sessions(Addresses(), {}, timeout_s=1.0)
    held = Held(database, leases, stored, Vendors(lambda: [EBAY]), sessions, [], LEASE_S)
    running = asyncio.create_task(held.run())

    async def reason() -> str | None:
        assert not running.done(), running.exception()
        channel = await stored.get("lacking", None)
        assert channel is not None
        return channel.reason

    try:
        assert "client_secret" in str(await wait_until(reason))
        assert list(held.channels) == ["whole"]
    finally:
        running.cancel()
        await asyncio.wait([running])
