"""Subscriptions against real hubs: what is told, what is held, and what happens when links and hubs go."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

import pytest

from stockwire import (
    AsyncClient,
    AsyncSubscription,
    BadToken,
    Forbidden,
    Freshness,
    Invalid,
    LevelChanged,
    Reconnecting,
    Snapshot,
    State,
    StreamEvent,
    TokenExpired,
    receipt,
)
from tests.harness.api_keys import make_token
from tests.harness.proxy import Proxy, proxy_to
from tests.harness.system import Grounds, ProcessSystem, System
from tests.harness.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("processes")

SKUS = ["A", "B", "C"]


@pytest.fixture(scope="module")
def watched(grounds: Grounds) -> Iterator[ProcessSystem]:
    """A ledger, and a hub with heartbeats every 0.3 s, for all tests here."""
    with grounds.system(ProcessSystem, _start) as system:
        yield system


@pytest.fixture(autouse=True)
async def healed(watched: ProcessSystem) -> AsyncIterator[None]:
    """Hubs that a test has ended come back for the next."""
    yield
    for hub in watched.hubs:
        if not hub.running:
            await hub.restart()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice 0.3 s of silence may also be a machine that was busy."""
    monkeypatch.setattr("stockwire.session.HEARTBEATS_MISSED_MAX", 12)


async def _start(system: System) -> None:
    await system.start_ledger()
    await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.3)


@pytest.fixture
async def client(watched: ProcessSystem) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(watched.ledger_url, await watched.admin_key(), hubs=watched.stream_urls[:1]) as client:
        yield client


@pytest.fixture
async def berlin(client: AsyncClient, unique_name: str) -> str:
    """A location of this test alone, with 1,000 units of A, B and C."""
    await client.locations.put(unique_name, "Berlin")
    await asyncio.gather(*(client.items.put(sku, sku) for sku in SKUS))
    await client.operation([receipt(sku, unique_name, 1_000) for sku in SKUS])
    return unique_name


async def until(subscription: AsyncSubscription, condition: Callable[[StreamEvent], bool]) -> list[StreamEvent]:
    """Read events up to the first that fulfils ``condition``."""
    events: list[StreamEvent] = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in subscription:
            events.append(event)
            if condition(event):
                return events
    raise AssertionError(f"the stream ended after {events}")


def holds(subscription: AsyncSubscription, berlin: str, sku: str, on_hand: int) -> Callable[[StreamEvent], bool]:
    return lambda _: (berlin, sku) in subscription.view and subscription.view[berlin, sku].on_hand == on_hand


async def test_a_snapshot_then_every_change(client: AsyncClient, berlin: str) -> None:
    async with client.subscribe(berlin, ["A", "B"]) as subscription:
        (first,) = await until(subscription, lambda event: isinstance(event, Snapshot))
        assert isinstance(first, Snapshot)
        assert {level.sku: level.on_hand for level in first.levels} == {"A": 1_000, "B": 1_000}
        assert not first.recovered
        assert subscription.view.state is not State.CONNECTING
        sold = await client.stock.sell("A", berlin, 3)
        await client.stock.sell("C", berlin)
        events = await until(subscription, lambda event: isinstance(event, LevelChanged))
        assert events[-1] == LevelChanged(sold.level)
        assert subscription.view[berlin, "A"] == await client.stock.get("A", berlin)
        assert (berlin, "C") not in subscription.view
        await until(subscription, lambda event: isinstance(event, Freshness) and event.fresh)
        await until(subscription, lambda _: subscription.view.state is State.FRESH)


async def test_a_whole_location_and_what_first_appears_in_it(client: AsyncClient, berlin: str) -> None:
    async with client.subscribe(berlin) as subscription:
        view = await subscription.ready()
        assert len(view) == 3
        await client.items.put("NEW", "New")
        await client.stock.receive("NEW", berlin, 7)
        await until(subscription, holds(subscription, berlin, "NEW", 7))


async def test_a_client_finds_its_hubs_through_the_ledger(system: System) -> None:
    await system.start()
    async with AsyncClient(system.ledger_url, await system.admin_key()) as client:
        if not await client.hubs():
            pytest.fail("the ledger names no hubs")
        await client.locations.put("berlin", "Berlin")
        async with client.subscribe("berlin") as subscription:
            assert len(await subscription.ready()) == 0


async def test_a_cut_link_is_resumed_where_it_was(watched: ProcessSystem, client: AsyncClient, berlin: str) -> None:
    async with (
        through_proxy(watched) as proxy,
        AsyncClient(watched.ledger_url, await watched.admin_key(), hubs=[stream_through(proxy, watched)]) as behind,
        behind.subscribe(berlin) as subscription,
        client.subscribe(berlin) as direct,
    ):
        await until(subscription, lambda event: isinstance(event, Freshness))
        await direct.ready()
        proxy.refuse()
        (gone, *_) = [
            event
            for event in await until(subscription, lambda event: isinstance(event, Reconnecting))
            if isinstance(event, Reconnecting)
        ]
        assert (gone.attempt, subscription.view.state) == (1, State.CONNECTING)
        assert subscription.view[berlin, "A"].on_hand == 1_000
        await client.stock.sell("A", berlin, 10)
        await until(direct, holds(direct, berlin, "A", 990))  # the hub has it
        proxy.heal()
        events = await until(subscription, lambda event: isinstance(event, Snapshot))
        back = events[-1]
        assert isinstance(back, Snapshot)
        assert back.recovered
        assert [(level.sku, level.on_hand) for level in back.levels] == [("A", 990)]
        await until(subscription, lambda _: subscription.view.state is State.FRESH)


async def test_a_link_that_falls_silent_is_noticed_by_the_missing_heartbeats(
    watched: ProcessSystem, berlin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        through_proxy(watched) as proxy,
        AsyncClient(watched.ledger_url, await watched.admin_key(), hubs=[stream_through(proxy, watched)]) as behind,
        behind.subscribe(berlin) as subscription,
    ):
        await subscription.ready()
        proxy.half_open()
        monkeypatch.setattr("stockwire.session.HEARTBEATS_MISSED_MAX", 2)
        events = await until(subscription, lambda event: isinstance(event, Reconnecting))
        assert isinstance(events[-1], Reconnecting)
        assert "nothing heard" in events[-1].reason
        proxy.heal()
        await until(subscription, lambda event: isinstance(event, Snapshot))


async def test_an_application_that_holds_up_the_loop_keeps_its_stream(client: AsyncClient, berlin: str) -> None:
    async with client.subscribe(berlin) as subscription:
        await until(subscription, lambda event: isinstance(event, Freshness))
        time.sleep(4.0)  # noqa: ASYNC251  # longer than a hub may be silent, and on purpose
        events = await until(subscription, lambda event: isinstance(event, Freshness))
        assert not [event for event in events if isinstance(event, Reconnecting)]


async def test_a_killed_hub_is_left_for_another_and_no_version_goes_back(watched: ProcessSystem, berlin: str) -> None:
    await watched.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.3)
    async with AsyncClient(watched.ledger_url, await watched.admin_key(), hubs=watched.stream_urls) as client:
        subscriptions = [client.subscribe(berlin) for _ in range(4)]
        async with subscriptions[0], subscriptions[1], subscriptions[2], subscriptions[3]:
            for subscription in subscriptions:
                await subscription.ready()
            await client.stock.sell("A", berlin)
            watched.hubs[0].kill()
            await client.stock.sell("A", berlin)
            for subscription in subscriptions:
                versions = [
                    event.level.version
                    for event in await until(subscription, holds(subscription, berlin, "A", 998))
                    if isinstance(event, LevelChanged) and event.level.sku == "A"
                ]
                assert versions == sorted(versions)


async def test_a_drained_hub_sends_its_clients_away_in_words(
    watched: ProcessSystem, client: AsyncClient, berlin: str
) -> None:
    async with client.subscribe(berlin) as subscription:
        await subscription.ready()
        watched.hubs[0].terminate()
        events = await until(subscription, lambda event: isinstance(event, Reconnecting))
        assert isinstance(events[-1], Reconnecting)
        await watched.hubs[0].restart()
        await until(subscription, lambda event: isinstance(event, Snapshot))


async def test_a_slow_reader_gets_the_newest_once(client: AsyncClient, berlin: str) -> None:
    async with client.subscribe(berlin, ["A"]) as subscription:
        await until(subscription, lambda event: isinstance(event, Snapshot))
        for _ in range(50):
            last = await client.stock.sell("A", berlin)

        async def arrived() -> bool:
            return subscription.view[berlin, "A"].version == last.level.version

        await wait_until(arrived)
        events = await until(subscription, lambda event: isinstance(event, LevelChanged))
        assert events[-1] == LevelChanged(last.level)


async def test_a_listener_that_raises_breaks_nothing(
    client: AsyncClient, caplog: pytest.LogCaptureFixture, berlin: str
) -> None:
    heard: list[StreamEvent] = []

    def broken(event: StreamEvent) -> None:
        raise ZeroDivisionError("a listener's own fault")

    async with client.subscribe(berlin, ["A"]) as subscription:
        subscription.listen(broken)
        stop = subscription.listen(heard.append)
        with caplog.at_level(logging.ERROR, "stockwire"):
            await client.stock.sell("A", berlin)
            await until(subscription, holds(subscription, berlin, "A", 999))
        assert any(isinstance(event, Snapshot | LevelChanged) for event in heard)
        assert "a listener's own fault" in caplog.text
        stop()
        stop()
        count = len(heard)
        await client.stock.sell("A", berlin)
        await until(subscription, holds(subscription, berlin, "A", 998))
        assert len(heard) == count


async def test_what_coming_back_cannot_mend_is_raised(watched: ProcessSystem, client: AsyncClient, berlin: str) -> None:
    async def read(key: str, location: str = berlin) -> None:
        async with (
            AsyncClient(watched.ledger_url, key, hubs=watched.stream_urls) as stranger,
            asyncio.timeout(PATIENCE_S),
            stranger.subscribe(location) as subscription,
        ):
            await drain(subscription)

    with pytest.raises(BadToken):
        await read("sw_aaaaaaaaaaaa_nonsense")
    with pytest.raises(Forbidden):
        await read(await watched.key("till", "stock:read:munich"))
    with pytest.raises(TokenExpired):
        await read(make_token(f"stock:read:{berlin}", ttl_s=-10))
    for location, skus in (("a/b", None), ("*", ["A"]), (berlin, []), (berlin, ["a b"]), (berlin, ["A"] * 1_001)):
        with pytest.raises(Invalid):
            client.subscribe(location, skus)


async def test_a_token_is_renewed_before_it_ends_and_the_stream_is_not_interrupted(
    watched: ProcessSystem, berlin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stockwire.session.RENEW_AFTER", 0.05)
    asked = 0

    async def token() -> str:
        nonlocal asked
        asked += 1
        return make_token(f"stock:read:{berlin}", ttl_s=60)

    async with (
        AsyncClient(watched.ledger_url, hubs=watched.stream_urls) as browser,
        asyncio.timeout(PATIENCE_S),
        browser.subscribe(berlin, token=token) as subscription,
    ):
        async for event in subscription:
            assert not isinstance(event, Reconnecting)
            if asked >= 2 and isinstance(event, Freshness):
                break


async def test_closing_ends_the_iterator_and_leaves_no_task(client: AsyncClient, berlin: str) -> None:
    before = asyncio.all_tasks()
    subscription = client.subscribe(berlin)
    async with subscription:
        reading = asyncio.create_task(drain(subscription))
        await subscription.ready()
    async with asyncio.timeout(PATIENCE_S):
        assert await reading > 0
    assert subscription.view.state is State.CLOSED
    assert len(subscription.view) == 3
    assert asyncio.all_tasks() == before
    await subscription.close()


async def test_a_cancelled_reader_loses_no_event(client: AsyncClient, berlin: str) -> None:
    async with client.subscribe(berlin, ["A"]) as subscription:
        await until(subscription, lambda event: isinstance(event, Snapshot))
        for units in range(1, 6):
            await until(subscription, holds(subscription, berlin, "A", 1_001 - units))
            waiting = asyncio.ensure_future(anext(subscription))
            await asyncio.sleep(0)
            waiting.cancel()
            await client.stock.sell("A", berlin)
            await until(subscription, holds(subscription, berlin, "A", 1_000 - units))


async def drain(subscription: AsyncSubscription) -> int:
    count = 0
    async for _ in subscription:
        count += 1
    return count


def through_proxy(system: System) -> AbstractAsyncContextManager[Proxy]:
    parts = urlsplit(system.stream_urls[0])
    assert parts.hostname
    assert parts.port
    return proxy_to(parts.hostname, parts.port)


def stream_through(proxy: Proxy, system: System) -> str:
    return f"ws://127.0.0.1:{proxy.port}{urlsplit(system.stream_urls[0]).path}"
