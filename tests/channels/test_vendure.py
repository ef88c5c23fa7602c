"""What Vendure does with stock and orders, which our adapter stands on: one that does otherwise is noticed here.

And what our plugin tells of it.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import standardwebhooks

from tests.channels.vendure.shop import NotTaken, Shop
from tests.channels.vendure.starting import vendure
from tests.followers.receivers import Receivers
from tests.harness.postgres import PostgresServer
from tests.harness.servers import free_port
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.usefixtures("processes")

SECRET = "whsec_" + "c2VjcmV0" * 4
NOTICES_PORT = free_port()


@pytest.fixture(scope="module")
def running(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    url = f"http://127.0.0.1:{NOTICES_PORT}/notices"
    with vendure(postgres, tmp_path_factory.mktemp("vendure"), notices_url=url, notices_secret=SECRET) as shop:
        yield shop


@pytest.fixture
async def shop(running: Shop) -> AsyncIterator[Shop]:
    async with running as shop:
        yield shop


async def test_what_its_orders_hold_is_counted_beside_what_lies_there(shop: Shop) -> None:
    mug = await shop.offer("MUG", 20)
    order = await shop.sell(mug, 3)
    assert await shop.level(mug) == (20, 3)
    fulfilment = await shop.fulfil(order, {mug: 1})
    assert await shop.level(mug) == (19, 2)
    await shop.unfulfil(fulfilment)
    assert await shop.level(mug) == (20, 3)
    await shop.cancel(order, {mug: 1})
    assert await shop.level(mug) == (20, 2)
    await shop.edit(order, {mug: 1})
    assert await shop.level(mug) == (20, 1)
    await shop.fulfil(order, {mug: 1})
    assert await shop.level(mug) == (19, 0)
    await shop.cancel(order)
    assert await shop.level(mug) == (20, 0)


async def test_a_part_that_is_cancelled_after_a_part_was_sent_comes_back_twice(shop: Shop) -> None:
    """Of 20, 2 are still sold, and it offers 19: a fault of Vendure's, which the next level that we set mends."""
    mug = await shop.offer("MUG", 20)
    order = await shop.sell(mug, 3)
    await shop.fulfil(order, {mug: 1})
    await shop.cancel(order, {mug: 1})
    assert (await shop.order(order))["lines"][0]["quantity"] == 2
    assert await shop.level(mug) == (20, 1)


async def test_an_order_that_is_promised_holds_as_one_that_is_paid_does(shop: Shop) -> None:
    mug = await shop.offer("MUG", 20)
    order = await shop.sell(mug, 2, paid=False)
    promised = await shop.order(order)
    await shop.pay(order)
    paid = await shop.order(order)
    assert (promised["state"], paid["state"]) == ("PaymentAuthorized", "PaymentSettled")
    assert await shop.level(mug) == (20, 2)
    assert promised["updatedAt"] == paid["updatedAt"], "who polls by it would find payments now: say so in the adapter"
    assert promised["updatedAt"] < promised["orderPlacedAt"], "nor does it find what was just ordered"


async def test_a_batch_with_an_unknown_variant_sets_nothing(shop: Shop) -> None:
    mug = await shop.offer("MUG", 20)
    with pytest.raises(NotTaken, match="ENTITY_NOT_FOUND"):
        await shop.admin(
            "mutation($ids: [UpdateProductVariantInput!]!) { updateProductVariants(input: $ids) { id } }",
            ids=[{"id": mug, "stockOnHand": 7}, {"id": "999999", "stockOnHand": 7}],
        )
    assert await shop.level(mug) == (20, 0)


@dataclass(frozen=True, slots=True)
class Told:
    """What came to a receiver, each once."""

    receivers: Receivers

    @property
    def notices(self) -> dict[str, Any]:
        """``data`` by id; each is verified by a library of others."""
        found = {}
        for one in self.receivers.received["notices"]:
            headers = {
                "webhook-id": one.id,
                "webhook-timestamp": str(one.timestamp),
                "webhook-signature": one.signature,
            }
            standardwebhooks.Webhook(SECRET).verify(one.body, headers)
            found[one.id] = one.content["data"]
        return found

    async def times(self, count: int, order: str) -> None:
        """Until so many notices say that the order changed, and no level."""

        async def told() -> bool:
            return [*self.notices.values()].count({"order": order, "levels": []}) == count

        await wait_until(told, what=f"order {order} is told of {count} times")

    async def of(self, order: str | None, *levels: tuple[str, int, int]) -> None:
        """Until a notice says this: the order that changed, and each level as variant, on hand and held."""
        expected = [
            {"variant": variant, "location": "1", "stockOnHand": on_hand, "stockAllocated": held}
            for variant, on_hand, held in levels
        ]
        wanted = {"levels": expected} if order is None else {"order": order, "levels": expected}

        async def told() -> bool:
            return wanted in self.notices.values()

        await wait_until(told, what=f"{wanted} is told")


async def test_our_plugin_tells_which_order_changed_and_what_its_levels_are_now(shop: Shop) -> None:
    async with Receivers(port=NOTICES_PORT) as receivers:
        told = Told(receivers)
        mug, cup = await shop.offer("MUG", 20), await shop.offer("CUP", 5)
        order = await shop.sell_lines({mug: 2, cup: 1})
        await told.of(order, (mug, 20, 2), (cup, 5, 1))
        await shop.cancel(order, {mug: 1})
        await told.of(order, (mug, 20, 1))
        await shop.fulfil(order, {cup: 1})
        await told.of(order, (cup, 4, 0))
        await shop.set(mug, 30)
        await told.of(None, (mug, 30, 1))
        promised = await shop.sell(mug, paid=False)
        await told.times(1, promised)
        await shop.pay(promised)
        await told.times(2, promised)


async def test_what_our_plugin_could_not_deliver_is_sent_again_under_its_id(shop: Shop) -> None:
    async with Receivers(port=NOTICES_PORT) as receivers:
        seen = set()

        def answer(content: dict[str, Any]) -> int:
            """503 to each that is new, whichever test caused it."""
            known = content["timestamp"] in seen
            seen.add(content["timestamp"])
            return 204 if known else 503

        receivers.answers["notices"] = answer
        mug = await shop.offer("MUG", 20)

        async def again() -> bool:
            levels = [{"variant": mug, "location": "1", "stockOnHand": 20, "stockAllocated": 0}]
            tries = [one for one in receivers.received["notices"] if one.content["data"]["levels"] == levels]
            return [one.accepted for one in tries] == [False, True] and len({one.id for one in tries}) == 1

        await wait_until(again)
