"""A database that was restored to an older state behind a running hub: nobody may go on with what is no longer true."""

import asyncio

import asyncpg
import httpx
from websockets.exceptions import ConnectionClosed

from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.stream import Message, open_stream
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from tests.hub.shop import Shop

READER = make_token("stock:read:*")


async def test_another_epoch_ends_every_connection_and_the_next_snapshot_is_of_it(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    await Shop(system).open("berlin", "A", on_hand=5)
    events_url = f"{system.hubs[0].url}/v1/levels/stream?location=berlin"
    headers = {"Authorization": f"Bearer {READER}"}
    async with (
        httpx.AsyncClient(trust_env=False, verify=False, timeout=PATIENCE_S) as http,
        http.stream("GET", events_url, headers=headers) as events,
        open_stream(system.stream_urls[0]) as stream,
    ):
        epoch = (await stream.authenticate(READER))["epoch"]
        _, before = await stream.subscribe("berlin", ["A"])
        await _sql(system, "update ledger_meta set epoch = 'restored'")
        assert await stream.closed(PATIENCE_S) == 4202
        last = stream.seen[-1]
        assert (last["type"], last["code"], last["reconnect"]) == ("disconnect", 4202, True)
        assert '"code":4202' in (await events.aread()).decode()
    async with open_stream(system.stream_urls[0]) as stream:
        assert (await stream.authenticate(READER))["epoch"] != epoch
        _, snapshot = await stream.subscribe("berlin", ["A"], since=before["position"])
        assert snapshot["recovered"] is False


async def test_a_head_that_fell_within_the_epoch_is_noticed(start_system: StartSystem) -> None:
    """A disk snapshot was put back and nobody made a new epoch."""
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("berlin", "A", on_hand=50)
    level = [await shop.sell("berlin", "A") for _ in range(5)][-1]
    async with open_stream(system.stream_urls[0], READER) as stream:
        _, snapshot = await stream.subscribe("berlin", ["A"])
        assert snapshot["levels"][0]["version"] == level["version"]
        shard, seq = level["shard"], level["seq"] - 2
        await _sql(
            system,
            f"update shard set head = {seq} where id = {shard}",
            f"delete from stock_event where shard = {shard} and seq > {seq}",
            f"update stock_level set version = version - 2, on_hand = on_hand + 2 where shard = {shard} and sku = 'A'",
        )
        assert await stream.closed(PATIENCE_S) == 4202
    again = await _subscribed_in_the_new_epoch(system.stream_urls[0], snapshot["position"])
    assert again["recovered"] is False
    assert again["levels"][0]["version"] == level["version"] - 2


async def _subscribed_in_the_new_epoch(url: str, since: Message) -> Message:
    """A hub that saw the fallen head before a ledger did ends its connections again when the ledger makes the epoch."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                async with open_stream(url, READER) as stream:
                    return (await stream.subscribe("berlin", ["A"], since=since))[1]
            except ConnectionClosed as ended:
                if ended.rcvd is None or ended.rcvd.code != 4202:
                    raise


async def _sql(system: System, *statements: str) -> None:
    connection = await asyncpg.connect(system.database_url)
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()
