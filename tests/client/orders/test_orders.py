"""Orders against a real ledger: sold, or nothing is kept, of neither side."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from stockwire import AsyncClient, Client, HoldLimits, IdempotencyMismatch, Invalid, NotFound, held
from stockwire.errors import Unavailable
from stockwire.orders import (
    AsyncOrders,
    ChargedWithoutStock,
    ChargeUnknown,
    ChargeUnresolved,
    JournalError,
    Order,
    OrderBusy,
    OrderCancelled,
    OrderDeclined,
    OrderExpired,
    OrderRefused,
    Orders,
    OrderState,
    Saga,
    Shortage,
    SqliteJournal,
)
from tests.client.blocking import Till, open_till
from tests.client.orders.till import Away, Provider
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S


@dataclass
class Shop:
    till: Till
    journal: SqliteJournal
    provider: Provider

    def orders(self, *, find: bool = True, refund: bool = True, late_s: float | None = None, **other: float) -> Orders:
        return Orders(
            self.till.client,
            self.journal,
            charge=self.provider.charge,
            find=self.provider.find if find else None,
            refund=self.provider.refund if refund else None,
            late_s=late_s,
            **other,
        )

    def order(self, orders: Orders, name: str = "o-1", units: int = 2, ttl_s: int = 900) -> Saga:
        return orders.order([held(self.till.sku, self.till.location, units)], key=self.key(name), ttl_s=ttl_s)

    def key(self, name: str = "o-1") -> str:
        return f"{self.till.sku}:{name}"

    def sell_out(self) -> None:
        self.till.sell(self.available)

    @property
    def available(self) -> int:
        return self.till.client.stock.get(self.till.sku, self.till.location).available

    @property
    def reserved(self) -> int:
        return self.till.client.stock.get(self.till.sku, self.till.location).reserved


@pytest.fixture
def shop(shared_system: System, unique_name: str, tmp_path: Path) -> Iterator[Shop]:
    till = open_till(shared_system, unique_name)
    with till.client, SqliteJournal(tmp_path / "orders.db") as journal:
        yield Shop(till, journal, Provider())


def test_an_order_is_paid_for_and_not_held_or_held_and_not_sold(shop: Shop) -> None:
    saga = shop.order(shop.orders())
    assert saga.reserve().order.state is OrderState.RESERVED
    assert (shop.reserved, shop.provider.kept) == (2, 0)
    assert saga.charge().order.state is OrderState.CHARGED
    assert saga.commit().order.state is OrderState.COMMITTED
    assert (shop.reserved, shop.till.on_hand, shop.provider.kept) == (2, 1_000, 1)
    assert saga.fulfil().order.state is OrderState.FULFILLED
    assert (shop.reserved, shop.till.on_hand) == (0, 998)
    assert list(shop.orders().open()) == []


def test_the_same_order_twice_sells_or_charges_twice(shop: Shop) -> None:
    for _ in range(3):
        saga = shop.order(shop.orders()).reserve().charge(shop.provider.charge).commit()
    assert saga.order.state is OrderState.COMMITTED
    assert (shop.reserved, shop.provider.kept) == (2, 1)
    assert shop.provider.asked == [f"charge {shop.key()}"]
    with pytest.raises(IdempotencyMismatch):
        shop.order(shop.orders(), units=3).reserve()


def test_an_order_that_cannot_be_held_is_charged_for(shop: Shop) -> None:
    with pytest.raises(OrderRefused) as refused:
        shop.order(shop.orders(), units=1_001).commit()
    assert refused.value.shortage == Shortage(shop.till.sku, shop.till.location, 1_001, 1_000)
    with pytest.raises(OrderRefused):  # told again from the journal alone
        shop.orders().resume(shop.key())
    assert (shop.provider.asked, shop.reserved) == ([], 0)


def test_a_hold_stays_when_the_provider_says_no(shop: Shop) -> None:
    shop.provider.told = ["no"]
    with pytest.raises(OrderDeclined, match="no money"):
        shop.order(shop.orders()).reserve().charge()
    assert (shop.reserved, shop.available, list(shop.orders().open())) == (0, 1_000, [])


@pytest.mark.parametrize("can_find", [True, False])
@pytest.mark.parametrize("lie", ["lost", "away", "late"])
def test_a_lost_answer_costs_the_customer_twice_or_the_shop_its_sale(shop: Shop, lie: str, can_find: bool) -> None:
    shop.provider.told = [lie]
    saga = shop.order(shop.orders(find=can_find)).commit()
    assert saga.order.state is OrderState.COMMITTED
    assert (shop.provider.kept, shop.reserved) == (1, 2)
    assert len(shop.provider.asked) == (3 if can_find and lie == "away" else 2)


def test_a_charge_that_is_not_known_is_cancelled_or_asked_about_once_only(shop: Shop) -> None:
    shop.provider.told = ["away", "away", "lost"]
    with pytest.raises(ChargeUnknown) as unknown:
        shop.order(shop.orders(find=False)).reserve().charge()
    assert unknown.value.tries == 3
    assert isinstance(unknown.value.__cause__, Away)
    assert (shop.reserved, shop.provider.kept) == (2, 1)
    with pytest.raises(Invalid, match="may be paid for"):
        shop.orders().cancel(shop.key())
    assert shop.orders().resume(shop.key()).state is OrderState.COMMITTED
    assert (shop.reserved, shop.provider.kept) == (2, 1)


def test_a_charge_that_nobody_knows_of_is_asked_for_without_end(shop: Shop) -> None:
    shop.provider.told = ["away"] * 9
    with pytest.raises(ChargeUnresolved):
        shop.order(shop.orders(find=False, charge_for_s=0.1)).charge()
    asked = len(shop.provider.asked)
    with pytest.raises(ChargeUnresolved):
        shop.orders(find=False).resume(shop.key())
    assert len(shop.provider.asked) == asked, "asked again though its hold may be gone"
    assert [order.state for order in shop.orders().open()] == [OrderState.UNRESOLVED]
    assert shop.orders().settle(shop.key(), None).state is OrderState.CANCELLED
    assert shop.reserved == 0


def test_one_that_was_settled_as_paid_is_not_sold(shop: Shop) -> None:
    shop.provider.told = ["away"] * 9
    with pytest.raises(ChargeUnresolved):
        shop.order(shop.orders(find=False, charge_for_s=0.1)).charge()
    assert shop.orders().settle(shop.key(), "seen-1").state is OrderState.COMMITTED
    assert (shop.orders().get(shop.key()).charge, shop.reserved) == ("seen-1", 2)


def test_what_is_sure_never_to_be_charged_waits_for_a_person(shop: Shop) -> None:
    shop.provider.told = ["away"] * 9
    orders = shop.orders(charge_for_s=0.0, late_s=0.0, lease_s=0.1)
    with pytest.raises((OrderExpired, ChargeUnresolved)):
        shop.order(orders).charge()
    deadline = time.monotonic() + PATIENCE_S
    while (order := orders.get(shop.key())).state is OrderState.UNRESOLVED:
        assert time.monotonic() < deadline, order
        with suppress(OrderExpired, ChargeUnresolved):
            orders.resume(shop.key())
    assert order.state is OrderState.EXPIRED
    assert (shop.reserved, list(shop.orders().open())) == (0, [])


def test_money_is_kept_for_stock_that_is_gone(shop: Shop) -> None:
    orders = shop.orders()
    saga = shop.order(orders).charge()
    gone(shop, saga)
    shop.provider.told = ["away"]
    with pytest.raises(Away):
        saga.commit()
    assert [order.state for order in orders.open()] == [OrderState.REFUNDING]
    with pytest.raises(ChargedWithoutStock) as told:
        orders.resume(shop.key())
    assert told.value.shortage == Shortage(shop.till.sku, shop.till.location, 2, 0)
    assert (told.value.charge, told.value.refund) == (saga.order.charge, f"refund of {shop.key()}/refund")
    assert (shop.provider.kept, list(orders.open())) == (0, [])
    with pytest.raises(ChargedWithoutStock):  # the customer looks again
        saga.commit()


def test_stock_that_came_back_does_not_go_to_who_has_paid(shop: Shop) -> None:
    orders = shop.orders(refund=False)
    saga = shop.order(orders).charge()
    gone(shop, saga)
    for _ in range(2):
        with pytest.raises(ChargedWithoutStock, match="has not gone back"):
            saga.commit()
    assert [order.state for order in orders.open()] == [OrderState.CHARGED_WITHOUT_STOCK]
    shop.till.client.stock.receive(shop.till.sku, shop.till.location, 5)
    assert orders.resume(shop.key()).state is OrderState.COMMITTED
    assert (shop.reserved, shop.available, list(orders.open())) == (2, 3, [])


def test_a_refund_by_hand_leaves_its_order_open(shop: Shop) -> None:
    orders = shop.orders(refund=False)
    saga = shop.order(orders).charge()
    gone(shop, saga)
    with pytest.raises(ChargedWithoutStock):
        saga.commit()
    assert orders.refunded(shop.key(), "by transfer").refund == "by transfer"
    assert (list(orders.open()), orders.get(shop.key()).state) == ([], OrderState.REFUNDED)


def gone(shop: Shop, saga: Saga) -> None:
    """Its hold has ended, and others have bought what it held."""
    shop.till.client.reservations.extend(saga.order.reservation or "", 1)
    await_expired(shop, saga)
    shop.sell_out()


def await_expired(shop: Shop, saga: Saga) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while shop.till.client.reservations.get(saga.order.reservation or "").state != "expired":
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_basket_that_nobody_pays_for_is_charged_by_who_resumes(shop: Shop) -> None:
    orders = shop.orders()
    saga = shop.order(orders, ttl_s=1).reserve()
    assert orders.resume(shop.key()).state is OrderState.RESERVED
    assert orders.resume_all() == []
    await_expired(shop, saga)
    with pytest.raises(OrderExpired):
        saga.charge()
    assert (shop.provider.asked, list(orders.open())) == ([], [])


def test_a_sold_order_that_is_cancelled_keeps_money_or_stock(shop: Shop) -> None:
    orders = shop.orders()
    shop.order(orders).commit()
    cancelled = orders.cancel(shop.key(), "changed their mind")
    assert (cancelled.state, cancelled.refund) == (OrderState.REFUNDED, f"refund of {shop.key()}/refund")
    assert (shop.reserved, shop.available, shop.provider.kept) == (0, 1_000, 0)
    with pytest.raises(OrderCancelled, match="changed their mind"):
        shop.order(orders).commit()
    with pytest.raises(NotFound):
        orders.cancel("nobody's")


def test_an_order_that_cannot_be_paid_for_is_begun_or_thought_to_be_charged(shop: Shop) -> None:
    without = Orders(shop.till.client, shop.journal)
    with pytest.raises(Invalid, match="no charge function"):
        shop.order(without).commit()
    with pytest.raises(NotFound):
        without.get(shop.key())
    shop.order(without).reserve()
    with pytest.raises(Invalid, match="no charge function"):
        shop.order(without).commit()
    assert (without.get(shop.key()).state, without.get(shop.key()).goal) == (OrderState.RESERVED, OrderState.RESERVED)
    assert shop.order(shop.orders()).charge().commit().order.state is OrderState.COMMITTED


def test_an_order_that_cannot_be_read_keeps_the_others_from_being_resumed(shop: Shop) -> None:
    shop.journal.begin("a-1", "later", '{"state":"of a later release"}', "", 0.0)
    shop.order(shop.orders(lease_s=0.01)).charge()
    row = shop.journal.claim(shop.key(), "", 0.0)
    assert row is not None
    resumed = {one.key: one for one in shop.orders().resume_all()}
    assert (resumed["a-1"].order, type(resumed["a-1"].error)) == (None, JournalError)
    assert resumed[shop.key()].order == shop.orders().get(shop.key())


def test_goods_that_others_sent_are_given_back_for_money(shop: Shop) -> None:
    orders = shop.orders()
    sold = shop.order(orders).commit().order
    shop.till.client.reservations.fulfil(sold.reservation or "", key=f"{shop.key()}:desk")
    with pytest.raises(Invalid, match="has left"):
        orders.cancel(shop.key())
    assert (orders.get(shop.key()).state, shop.provider.kept) == (OrderState.FULFILLED, 1)


def test_an_item_with_limits_can_never_be_ordered(shop: Shop) -> None:
    put, sku = shop.till.client.items.put, shop.till.sku
    put(sku, "Apple", hold_limits=HoldLimits(customer_units=2, ttl_s=300))
    three = shop.orders().order([held(sku, shop.till.location, 3)], key=shop.key(), customer=shop.key())
    with pytest.raises(OrderRefused) as refused:
        three.reserve()
    assert refused.value.limit is not None
    assert (refused.value.limit.allowed, refused.value.limit.requested, list(shop.orders().open())) == (2, 3, [])
    put(sku, "Apple", hold_limits=HoldLimits(customer_units=3, ttl_s=300))
    assert three.reserve().order.lasts_s == 300
    assert three.charge().commit().order.state is OrderState.COMMITTED


def test_two_processes_act_on_one_order(shop: Shop) -> None:
    orders = shop.orders()
    seen = []

    def charge(order: Order, key: str) -> str:
        with pytest.raises(OrderBusy) as busy:
            shop.orders().resume(order.key)
        seen.append(busy.value.for_s)
        return shop.provider.charge(order, key)

    shop.order(orders).charge(charge)
    assert 0 < seen[0] <= 120


def test_a_charge_of_a_process_that_stood_still_is_lost(shop: Shop) -> None:
    """It was settled as never paid for while its process stood still in the middle of the charge."""
    orders = shop.orders(lease_s=0.01)

    def charge(order: Order, key: str) -> str:
        while shop.orders().get(order.key).state is OrderState.CHARGING:
            try:
                shop.orders().settle(order.key, None)
            except OrderBusy:
                continue
        return shop.provider.charge(order, key)

    with pytest.raises(OrderBusy):
        shop.order(orders).charge(charge)
    assert [order.state for order in orders.open()] == [OrderState.CHARGED_WITHOUT_STOCK]
    with pytest.raises(ChargedWithoutStock, match="after it had ended as cancelled"):
        orders.resume(shop.key())
    assert (shop.provider.kept, shop.reserved, list(orders.open())) == (0, 0, [])


def test_one_order_keeps_the_others_from_being_resumed(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stockwire.orders.decide.RESUME_AFTER_S", 0.0)
    orders = shop.orders()
    for name in ("o-1", "o-2"):
        shop.order(orders, name).charge()
    shop.till.client.reservations.cancel(orders.get(shop.key("o-1")).reservation or "")
    shop.provider.told = ["away"]  # when its money is to go back
    resumed = {one.key: one for one in orders.resume_all()}
    assert isinstance(resumed[shop.key("o-1")].error, Away)
    assert resumed[shop.key("o-2")].order == orders.get(shop.key("o-2"))
    assert orders.get(shop.key("o-2")).state is OrderState.COMMITTED
    assert [type(one.error) for one in orders.resume_all()] == [ChargedWithoutStock]
    assert (list(orders.open()), shop.provider.kept) == ([], 1)


def test_a_ledger_that_is_away_ends_an_order(shop: Shop) -> None:
    shop.order(shop.orders()).charge()
    away = Client("http://127.0.0.1:9", "sw_none", max_retries=0)
    with away, pytest.raises(Unavailable):
        Orders(away, shop.journal).resume(shop.key())
    assert shop.orders().resume(shop.key()).state is OrderState.COMMITTED


async def test_the_async_orders_do_another_thing(shared_system: System, unique_name: str, tmp_path: Path) -> None:
    till = await asyncio.to_thread(open_till, shared_system, unique_name)
    provider = Provider(["lost"])

    async def charge(order: Order, key: str) -> str:
        return provider.charge(order, key)

    async def find(order: Order, key: str) -> str | None:
        return provider.find(order, key)

    async with AsyncClient(till.url, till.key) as client:
        with SqliteJournal(tmp_path / "orders.db") as journal:
            orders = AsyncOrders(client, journal, charge=charge, find=find)
            saga = orders.order([held(till.sku, till.location, 2)], key=unique_name)
            await saga.reserve()
            assert [order.state async for order in orders.open()] == [OrderState.RESERVED]
            await saga.charge()
            assert (await (await saga.commit()).fulfil()).order.state is OrderState.FULFILLED
            with pytest.raises(OrderRefused):
                await orders.order([held(till.sku, till.location, 999)], key=f"{unique_name}-2").commit()
            assert await orders.resume_all() == []
    assert (till.on_hand, provider.kept) == (998, 1)
    till.client.close()
