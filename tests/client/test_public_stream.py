"""What the public sees, and thresholds, by both clients against real hubs: no numbers, no edge lost or told twice."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from stockwire import (
    AsyncClient,
    AtLeast,
    AtMost,
    Availability,
    AvailabilityChanged,
    Client,
    Forbidden,
    Freshness,
    Reconnecting,
    Snapshot,
    State,
    Threshold,
    ThresholdCrossed,
)
from tests.harness.system import Grounds, ProcessSystem
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

LOW = AtMost(5, until=8)
BACK = AtLeast(1)


@pytest.fixture(scope="module")
def site(grounds: Grounds) -> Iterator[ProcessSystem]:
    """A ledger that names its two hubs, with heartbeats every 0.3 s, for all tests here."""
    with grounds.system(ProcessSystem, _start) as system:
        yield system


@pytest.fixture(autouse=True)
async def healed(site: ProcessSystem) -> AsyncIterator[None]:
    """Hubs that a test has ended come back for the next."""
    yield
    for hub in site.hubs:
        if not hub.running:
            await hub.restart()


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice 0.3 s of silence may also be a machine that was busy."""
    monkeypatch.setattr("stockwire.session.HEARTBEATS_MISSED_MAX", 12)


async def _start(system: ProcessSystem) -> None:
    system.plan_hubs(2)
    await system.start_ledger()
    for _ in range(2):
        await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.3)


@pytest.fixture
async def shop(site: ProcessSystem) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(site.ledger_url, await site.admin_key()) as client:
        yield client


@pytest.fixture
async def web(shop: AsyncClient, unique_name: str) -> str:
    """A location of this test alone, with 12 units of A."""
    await shop.locations.put(unique_name, "Web")
    await shop.items.put("A", "Apple")
    await shop.stock.receive("A", unique_name, 12)
    return unique_name


@pytest.fixture
async def visitor(site: ProcessSystem, web: str) -> str:
    """A key that may see what the public sees, and nothing else."""
    return await site.key("visitor", f"stock:public:{web}")


class Visit:
    """An open subscription of either client, used alike."""

    def __init__(self, subscription: Any, next_event: Callable[[float], Any]) -> None:
        self.view = subscription.view
        self._next_event = next_event

    async def event(self, *kinds: type) -> Any:
        """The next event of one of ``kinds``."""
        async with asyncio.timeout(PATIENCE_S):
            while not isinstance(event := await self._next_event(PATIENCE_S), kinds):
                pass
            return event

    async def nothing_happens(self) -> None:
        """Until the hub has spoken twice."""
        for _ in range(2):
            assert isinstance(await self.event(Freshness, ThresholdCrossed, AvailabilityChanged), Freshness)

    async def crossed(self) -> Threshold:
        event = await self.event(ThresholdCrossed)
        assert isinstance(event, ThresholdCrossed)
        assert self.view[event.threshold.key] == event.threshold
        return event.threshold


@asynccontextmanager
async def visit_async(site: ProcessSystem, key: str, ask: Callable[[Any], Any]) -> AsyncIterator[Visit]:
    async with AsyncClient(site.ledger_url, key) as client, ask(client) as subscription:
        yield Visit(subscription, subscription.next_event)


@asynccontextmanager
async def visit_blocking(site: ProcessSystem, key: str, ask: Callable[[Any], Any]) -> AsyncIterator[Visit]:
    with Client(site.ledger_url, key) as client:
        subscription = ask(client)
        subscription.__enter__()
        try:
            yield Visit(subscription, lambda timeout_s: asyncio.to_thread(subscription.next_event, timeout_s))
        finally:
            await asyncio.to_thread(subscription.close)


both = pytest.mark.parametrize("visit", [visit_async, visit_blocking], ids=["async", "blocking"])


@both
async def test_the_public_sees_steps_and_only_their_changes(
    site: ProcessSystem, web: str, shop: AsyncClient, visitor: str, visit: Any
) -> None:
    async with visit(site, visitor, lambda client: client.subscribe_public(web)) as public:
        snapshot = await public.event(Snapshot)
        assert snapshot == Snapshot((Availability("A", web, 1, "in_stock", "10+"),), recovered=False)
        while public.view.state is not State.FRESH:
            await public.event(Freshness)
        await shop.stock.sell("A", web, 2)
        await public.nothing_happens()
        await shop.stock.sell("A", web, 7)
        changed = await public.event(AvailabilityChanged)
        assert changed == AvailabilityChanged(Availability("A", web, 2, "low", "1+"))
        assert public.view[web, "A"] == changed.availability
        assert public.view.position is None


@both
async def test_a_public_key_opens_nothing_else(site: ProcessSystem, web: str, visitor: str, visit: Any) -> None:
    for ask in (
        lambda client: client.subscribe(web),
        lambda client: client.subscribe_threshold(web, when=LOW),
        lambda client: client.subscribe_public("back-room"),
        lambda client: client.subscribe_public("*"),
    ):
        async with visit(site, visitor, ask) as public:
            with pytest.raises(Forbidden):
                await public.event(Snapshot)


@both
async def test_running_low_is_told_once_and_does_not_flicker(
    site: ProcessSystem, web: str, shop: AsyncClient, visit: Any
) -> None:
    key = await site.key("staff", f"stock:read:{web}")
    async with visit(site, key, lambda client: client.subscribe_threshold(web, ["A"], when=LOW)) as staff:
        snapshot = await staff.event(Snapshot, ThresholdCrossed)
        assert snapshot == Snapshot((Threshold("A", web, 1, raised=False, available=12),), recovered=False)
        await shop.stock.sell("A", web, 7)
        assert await staff.crossed() == Threshold("A", web, 2, raised=True, available=5)
        await shop.stock.receive("A", web, 2)
        await shop.stock.sell("A", web, 3)
        await staff.nothing_happens()
        await shop.stock.receive("A", web, 4)
        assert await staff.crossed() == Threshold("A", web, 5, raised=False, available=8)


@both
async def test_back_in_stock_is_told_to_the_public(
    site: ProcessSystem, web: str, shop: AsyncClient, visitor: str, visit: Any
) -> None:
    await shop.stock.sell("A", web, 12)
    async with visit(site, visitor, lambda client: waiting_for(client, web, "A", "NEW")) as public:
        snapshot = await public.event(Snapshot, ThresholdCrossed)
        assert {(one.sku, one.raised, one.available) for one in snapshot.levels} == {
            ("A", False, None),
            ("NEW", False, None),
        }
        await shop.stock.receive("A", web, 1)
        assert await public.crossed() == Threshold("A", web, 3, raised=True, available=None)
        await shop.items.put("NEW", "New")
        await shop.stock.receive("NEW", web, 3)
        assert await public.crossed() == Threshold("NEW", web, 1, raised=True, available=None)
        await public.nothing_happens()


@both
async def test_what_comes_into_being_raised_is_told(
    site: ProcessSystem, web: str, shop: AsyncClient, visitor: str, visit: Any
) -> None:
    async with visit(site, visitor, lambda client: client.subscribe_threshold(web, when=BACK, public=True)) as public:
        assert [one.sku for one in (await public.event(Snapshot, ThresholdCrossed)).levels] == ["A"]
        await shop.items.put("NEW", "New")
        await shop.stock.receive("NEW", web, 3)
        assert await public.crossed() == Threshold("NEW", web, 1, raised=True, available=None)
        await public.nothing_happens()


@both
async def test_what_happens_while_hubs_are_dead_is_told_once(
    site: ProcessSystem, web: str, shop: AsyncClient, visitor: str, visit: Any
) -> None:
    async with (
        visit(site, visitor, lambda client: client.subscribe_public(web, ["A"])) as public,
        visit(site, visitor, lambda client: waiting_for(client, web, "A")) as waiting,
    ):
        for one in (public, waiting):
            await one.event(Snapshot)
        for hub in site.hubs:
            hub.kill()
        for one in (public, waiting):
            await one.event(Reconnecting)
            assert one.view.state is State.CONNECTING
        await shop.stock.sell("A", web, 12)
        await site.hubs[1].restart()  # it has seen no level from which side it came
        out = Availability("A", web, 2, "out", "0")
        assert await public.event(Snapshot) == Snapshot((out,), recovered=False)
        assert not (await waiting.crossed()).raised
        await waiting.nothing_happens()
        site.hubs[1].kill()
        await waiting.event(Reconnecting)
        await site.hubs[1].restart()
        assert [one.raised for one in (await waiting.event(Snapshot, ThresholdCrossed)).levels] == [False]
        await public.event(Snapshot)
        await waiting.nothing_happens()
        await shop.stock.receive("A", web, 1)
        assert (await waiting.crossed()).raised
        assert (await public.event(AvailabilityChanged)).availability.quantity == "1+"


@both
async def test_a_hub_that_does_not_know_takes_nothing_back(
    site: ProcessSystem, web: str, shop: AsyncClient, visit: Any
) -> None:
    key = await site.key("staff", f"stock:read:{web}")
    await shop.stock.sell("A", web, 7)
    async with visit(site, key, lambda client: client.subscribe_threshold(web, ["A"], when=LOW)) as staff:
        await staff.event(Snapshot)
        await shop.stock.receive("A", web, 2)
        for hub in site.hubs:
            hub.kill()
        await staff.event(Reconnecting)
        await site.hubs[0].restart()
        snapshot = await staff.event(Snapshot, ThresholdCrossed)
        assert snapshot == Snapshot((Threshold("A", web, 2, raised=True, available=5),), recovered=False)
        await staff.nothing_happens()
        await shop.stock.receive("A", web, 1)
        assert not (await staff.crossed()).raised


def waiting_for(client: Any, web: str, *skus: str) -> Any:
    return client.subscribe_threshold(web, skus, when=BACK, public=True)
