"""Links that break and ledgers that die: a call has one effect, and says honestly what it knows."""

import asyncio
from urllib.parse import urlsplit

import pytest

from stockwire import AsyncClient, OutcomeUnknown, receipt
from tests.conftest import StartLedger
from tests.harness.proxy import Proxy, proxy_to
from tests.harness.system import ProcessSystem
from tests.harness.waiting import wait_until


async def prepared(url: str, key: str) -> None:
    async with AsyncClient(url, key) as client:
        await client.items.put("A", "Apple")
        await client.locations.put("berlin", "Berlin")
        await client.stock.receive("A", "berlin", 1_000)


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def through(proxy: Proxy) -> str:
    return f"http://127.0.0.1:{proxy.port}"


async def test_an_answer_lost_on_the_way_is_asked_for_again_and_sold_once(
    start_ledger: StartLedger, admin_key: str
) -> None:
    ledger = await start_ledger()
    await prepared(ledger.url, admin_key)
    async with proxy_to(*address(ledger.url)) as proxy, AsyncClient(through(proxy), admin_key) as client:
        for cut_after in (1, 20, 100, 400):
            proxy.down.reset_after(cut_after)
            result = await client.stock.sell("A", "berlin")
            assert result.level.version == result.events[0].version
    async with AsyncClient(ledger.url, admin_key) as client:
        assert (await client.stock.get("A", "berlin")).on_hand == 996


async def test_a_request_cut_on_its_way_is_sent_again(start_ledger: StartLedger, admin_key: str) -> None:
    ledger = await start_ledger()
    await prepared(ledger.url, admin_key)
    async with proxy_to(*address(ledger.url)) as proxy, AsyncClient(through(proxy), admin_key) as client:
        for cut_after in (1, 50, 300):
            proxy.up.reset_after(cut_after)
            await client.stock.sell("A", "berlin")
    async with AsyncClient(ledger.url, admin_key) as client:
        assert (await client.stock.get("A", "berlin")).on_hand == 997


async def test_without_an_answer_the_outcome_is_unknown_and_the_key_finds_it_out(
    start_ledger: StartLedger, admin_key: str
) -> None:
    ledger = await start_ledger()
    await prepared(ledger.url, admin_key)
    async with (
        proxy_to(*address(ledger.url)) as proxy,
        AsyncClient(through(proxy), admin_key, timeout_s=0.5, max_retries=1) as client,
        AsyncClient(ledger.url, admin_key) as patient,
    ):
        proxy.down.stall()
        with pytest.raises(OutcomeUnknown) as unknown:
            await client.stock.sell("A", "berlin")

        async def sold() -> bool:
            return (await patient.stock.get("A", "berlin")).on_hand == 999

        await wait_until(sold)  # it may still be on its way
        assert unknown.value.key
        found = await patient.stock.sell("A", "berlin", key=unknown.value.key)
        assert found.replayed
        assert (await patient.stock.get("A", "berlin")).on_hand == 999


async def test_sales_through_a_ledger_that_is_killed_are_each_sold_once(
    process_system: ProcessSystem, admin_key: str
) -> None:
    ledger = await process_system.start_ledger()
    await prepared(ledger.url, admin_key)
    begun = asyncio.Event()

    async def sell(client: AsyncClient) -> int:
        sold = 0
        for _ in range(15):
            sold += -(await client.stock.sell("A", "berlin")).events[0].on_hand_delta
            if sold == 5:
                begun.set()
        return sold

    async with AsyncClient(ledger.url, admin_key, max_retries=100, retry_for_s=30) as client:
        async with asyncio.TaskGroup() as group:
            tills = [group.create_task(sell(client)) for _ in range(20)]
            await begun.wait()
            ledger.kill()
            await ledger.restart()
        assert sum(till.result() for till in tills) == 300
        assert (await client.stock.get("A", "berlin")).on_hand == 700


async def test_a_cancelled_call_leaves_the_client_usable(start_ledger: StartLedger, admin_key: str) -> None:
    ledger = await start_ledger()
    await prepared(ledger.url, admin_key)
    async with proxy_to(*address(ledger.url)) as proxy, AsyncClient(through(proxy), admin_key) as client:
        proxy.down.stall()
        call = asyncio.create_task(client.operation([receipt("A", "berlin", 1)], key="delivery"))
        await proxy.passed("up", 100)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        proxy.heal()
        await client.operation([receipt("A", "berlin", 1)], key="delivery")
        assert (await client.stock.get("A", "berlin")).on_hand == 1_001
