"""Parts that are away, or look alive and deliver nothing: screens follow all the same, and say that they are behind."""

import asyncio

import pytest

from stockwire import AsyncClient, State
from tests.faults.replicas import add_catalog, replicas
from tests.faults.watcher import Watcher, await_agreement, watching_hub
from tests.harness.proxy import proxy_to_socket
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("processes")


async def test_a_broker_that_looks_alive_and_delivers_nothing(
    private_system: ProcessSystem, private_valkey: ValkeyServer
) -> None:
    """Half open: the hub's socket stays up and silent. It reads the log instead, and is fresh again afterwards."""
    system = private_system
    async with proxy_to_socket(private_valkey.socket) as cable:
        await system.start_ledger()
        await system.start_hub(STOCKWIRE_REDIS_URL=private_valkey.proxied_url(cable.port))
        key = await system.admin_key()
        async with replicas(system) as ledgers, AsyncClient(system.ledger_url, key) as client:
            await add_catalog(ledgers[0], ["A"], ["berlin"])
            async with watching_hub(system.stream_urls[0], key, "berlin") as watcher:
                await _until(watcher, State.FRESH)
                cable.half_open()
                await client.stock.receive("A", "berlin", 5)
                await await_agreement(client, "berlin", [watcher])
                await _until(watcher, State.STALE)
                await client.stock.receive("A", "berlin", 5)
                await await_agreement(client, "berlin", [watcher])
                cable.heal()
                cable.cut()
                await _until(watcher, State.FRESH)
                await client.stock.receive("A", "berlin", 5)
                await await_agreement(client, "berlin", [watcher])


async def test_a_ledger_outlives_a_connection_to_the_broker_that_is_reset(
    private_system: ProcessSystem, private_valkey: ValkeyServer
) -> None:
    """uvloop then raises RuntimeError, which no list of network errors has; it took the ledger down."""
    system = private_system
    async with proxy_to_socket(private_valkey.socket) as cable:
        ledger = await system.start_ledger(STOCKWIRE_REDIS_URL=private_valkey.proxied_url(cable.port))
        hub = await system.start_hub(STOCKWIRE_REDIS_URL=private_valkey.proxied_url(cable.port))
        key = await system.admin_key()
        async with replicas(system) as ledgers, AsyncClient(system.ledger_url, key) as client:
            await add_catalog(ledgers[0], ["A"], ["berlin"])
            async with watching_hub(hub.stream, key, "berlin") as watcher:
                for _ in range(5):
                    taken = cable.accepted
                    cable.cut()
                    await client.stock.receive("A", "berlin", 5)
                    await cable.connected(taken + 2)
                    await await_agreement(client, "berlin", [watcher])
        assert ledger.running
        assert hub.running


async def test_a_broker_killed_under_watchers(private_system: ProcessSystem, private_valkey: ValkeyServer) -> None:
    system = await private_system.start(ledgers=1, hubs=1)
    key = await system.admin_key()
    async with replicas(system) as ledgers, AsyncClient(system.ledger_url, key) as client:
        await add_catalog(ledgers[0], ["A"], ["berlin"])
        async with watching_hub(system.stream_urls[0], key, "berlin") as watcher:
            await asyncio.to_thread(private_valkey.kill)
            await client.stock.receive("A", "berlin", 5)
            await _until(watcher, State.STALE)
            await await_agreement(client, "berlin", [watcher])
            await asyncio.to_thread(private_valkey.start)
            await _until(watcher, State.FRESH)
            await client.stock.sell("A", "berlin", 1)
            await await_agreement(client, "berlin", [watcher])


async def test_a_hub_goes_to_the_other_ledger_when_its_own_dies(system: ProcessSystem) -> None:
    await system.start(ledgers=2, hubs=1)
    key = await system.admin_key()
    async with replicas(system) as ledgers, AsyncClient(system.ledgers[1].url, key) as client:
        await add_catalog(ledgers[0], ["A", "B"], ["berlin", "paris"])
        await client.stock.receive("A", "berlin", 5)
        system.ledgers[0].kill()
        hub = system.stream_urls[0]
        async with watching_hub(hub, key, "berlin") as whole, watching_hub(hub, key, "paris", ["B"]) as one:
            await client.stock.receive("B", "paris", 7)
            await await_agreement(client, "berlin", [whole])
            await await_agreement(client, "paris", [one])


async def _until(watcher: Watcher, state: State) -> None:
    async def reached() -> bool:
        return watcher.subscription.view.state is state

    await wait_until(reached, what=f"the view is {state.value}")
