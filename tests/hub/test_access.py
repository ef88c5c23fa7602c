"""Who may not come in, even when the broker has told nobody."""

from sqlalchemy import text

from ledger.database import create_engine
from tests.api_keys import make_token
from tests.conftest import StartSystem
from tests.stream import open_stream
from tests.system import System


async def test_a_key_that_may_read_no_stock_is_told_so_and_does_not_come_back(stockwire_system: System) -> None:
    key = await stockwire_system.key("connector", "feed", "stock:write:berlin")
    async with open_stream(stockwire_system.stream_urls[0]) as stream:
        await stream.request("connect", token=key)
        assert await stream.closed() == 4003
        assert stream.seen[-1]["reconnect"] is False


async def test_a_token_of_a_key_revoked_before_the_hub_started_is_refused(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    key = await system.key("reader", "stock:read:berlin")
    key_id = key.split("_")[1]
    engine = create_engine(system.database_url, pool_size=1)
    async with engine.begin() as connection:
        await connection.execute(text("update api_key set revoked_at = now() where id = :id"), {"id": key_id})
    await engine.dispose()
    hub = await system.start_hub()
    for bad in (make_token("stock:read:berlin", key=key_id), make_token("stock:read:berlin", key="never"), key):
        async with open_stream(hub.stream) as stream:
            await stream.request("connect", token=bad)
            assert await stream.closed() == 4001


async def test_a_token_is_taken_while_no_ledger_answers(start_system: StartSystem) -> None:
    """It proves by itself who it is for: a storefront comes back although the ledger is away."""
    system = await start_system(hubs=1)
    system.ledgers[0].kill()
    async with open_stream(system.stream_urls[0]) as stream:
        await stream.authenticate(make_token("stock:read:berlin"))
