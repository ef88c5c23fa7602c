"""The blocking client against a real ledger: what it returns, what it raises, threads, and links that break."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stockwire import AsyncClient, Client, OutcomeUnknown, OutOfStock, Unavailable, VersionConflict, receipt, sale
from tests.client.blocking import Till, in_thread, open_till
from tests.harness.proxy import proxy_to
from tests.harness.servers import free_port
from tests.harness.system import System
from tests.harness.waiting import wait_until

THREADS = 12


@pytest.fixture
def till(shared_system: System, unique_name: str) -> Iterator[Till]:
    till = open_till(shared_system, unique_name)
    with till.client:
        yield till


def test_every_movement_goes_its_way(till: Till) -> None:
    stock, sku, location = till.client.stock, till.sku, till.location
    assert stock.sell(sku, location, 3).level.on_hand == 997
    assert stock.return_(sku, location).level.on_hand == 998
    assert stock.write_off(sku, location, 2, reason="broken").level.on_hand == 996
    assert stock.adjust(sku, location, -1).level.on_hand == 995
    assert stock.count(sku, location, 7, if_version=5).level.on_hand == 7
    done = till.client.operation([sale(sku, location, 2), receipt(sku, location, 5)])
    assert [level.on_hand for level in done.levels] == [10]
    assert [level.on_hand for level in till.client.levels_of([(location, sku), ("nowhere", "Z")])] == [10, 0]


def test_refusals_carry_the_numbers_to_decide_on(till: Till) -> None:
    with pytest.raises(OutOfStock) as sold_out:
        till.client.stock.sell(till.sku, till.location, 1_001, key=f"{till.sku}-1")
    assert (sold_out.value.requested, sold_out.value.available, sold_out.value.key) == (1_001, 1_000, f"{till.sku}-1")
    with pytest.raises(VersionConflict) as moved:
        till.client.stock.sell(till.sku, till.location, if_version=7)
    assert moved.value.current.version == 1


def test_listings_go_on_from_page_to_page(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockwire.request.PAGE_SIZE", 2)
    for _ in range(4):
        till.sell()
    history = till.client.stock.history(till.sku, till.location)
    assert next(history).version == 1  # while you iterate, not before
    assert [event.version for event in history] == [2, 3, 4, 5]
    assert [level.version for level in till.client.levels(till.location)] == [5]
    assert till.sku in [item.sku for item in till.client.items.list()]
    assert till.location in [location.location for location in till.client.locations.list()]


def test_threads_share_a_client_and_one_key_is_one_sale(till: Till) -> None:
    def sell() -> None:
        for number in range(3):
            till.client.stock.sell(till.sku, till.location, key=f"{till.sku}:order-{number}")
            till.sell()

    for finish in [in_thread(sell) for _ in range(THREADS)]:
        finish()
    assert till.on_hand == 1_000 - 3 - 3 * THREADS


async def test_an_answer_that_drips_ends_with_the_time_for_a_try(
    shared_system: System, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Were each piece waited for anew, the whole answer would come in the end."""
    monkeypatch.setattr("stockwire.sync.transport.CONNECT_TIMEOUT_S", 0.5)
    till = await asyncio.to_thread(open_till, shared_system, unique_name)
    parts = urlsplit(till.url)
    assert parts.hostname
    assert parts.port
    async with proxy_to(parts.hostname, parts.port) as proxy:
        with till.client, Client(f"http://127.0.0.1:{proxy.port}", till.key, timeout_s=1.0, max_retries=0) as client:
            proxy.down.drip(1, 0.4)  # within the headers
            with pytest.raises(OutcomeUnknown, match=r"used up|timed out") as unknown:
                await asyncio.to_thread(client.stock.sell, unique_name, unique_name, key=f"{unique_name}-1")
            proxy.heal()
            await wait_until(lambda: asyncio.to_thread(lambda: till.on_hand == 999))  # it may still be on its way
            assert unknown.value.key
            found = await asyncio.to_thread(till.client.stock.sell, unique_name, unique_name, key=unknown.value.key)
            assert found.replayed
            long = {f"text-{number}": "x" * 250 for number in range(40)}
            await asyncio.to_thread(till.client.items.put, unique_name, "Apple", attributes=long)
            proxy.down.drip(200, 0.1)  # within the body: the headers come in time
            again = Client(
                client.url, till.key, timeout_s=1.0, max_retries=0
            )  # the proxy drips from a link's beginning
            with again, pytest.raises(Unavailable, match=r"used up|timed out"):
                await asyncio.to_thread(again.items.get, unique_name)


async def test_an_answer_lost_on_the_way_is_asked_for_again_and_sold_once(
    shared_system: System, unique_name: str
) -> None:
    till = await asyncio.to_thread(open_till, shared_system, unique_name)
    parts = urlsplit(till.url)
    assert parts.hostname
    assert parts.port
    async with proxy_to(parts.hostname, parts.port) as proxy:
        with till.client, Client(f"http://127.0.0.1:{proxy.port}", till.key) as client:
            for cut_after in (1, 100, 400):
                proxy.down.reset_after(cut_after)
                await asyncio.to_thread(client.stock.sell, unique_name, unique_name)
            assert await asyncio.to_thread(lambda: till.on_hand) == 997


def test_a_ledger_that_is_away_is_unavailable_after_the_retries() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", "sw_key", max_retries=2, retry_for_s=5) as client:
        with pytest.raises(Unavailable) as away:
            client.stock.sell("A", "berlin", key="order-1")
        assert away.value.key == "order-1"


def test_a_closed_client_says_so(till: Till) -> None:
    client = Client(till.url, till.key)
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.stock.get(till.sku, till.location)


def test_both_clients_send_the_same(till: Till) -> None:
    """The stored answer of one is the answer of the other: same key, same body."""

    async def again() -> bool:
        async with AsyncClient(till.url, till.key) as client:
            return (await client.stock.sell(till.sku, till.location, 2, reference="r", key=f"{till.sku}-2")).replayed

    till.client.stock.sell(till.sku, till.location, 2, reference="r", key=f"{till.sku}-2")
    assert asyncio.run(again())
