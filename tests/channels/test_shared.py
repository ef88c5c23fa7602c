"""What the strict servers share: if they were wrong about what is true there, they would judge the product wrongly."""

import asyncio
import contextlib
import random
from collections import Counter

import pytest

from tests.channels.shared.buyers import Buyers
from tests.channels.shared.faults import NoticeFaults
from tests.channels.shared.notices import Notice, Notices, Patience, Sender, Subscription
from tests.channels.shared.rules import Rule, Rules
from tests.channels.shared.selling import Happening, Selling, SoldOut
from tests.harness.waiting import wait_until

TOPIC = "orders/create"
ONCE = Patience((), None)


class Told:
    """What subscribers would be told."""

    def __init__(self) -> None:
        self.levels: list[str] = []
        self.happened: list[Happening] = []
        self.selling = Selling(self.levels.append, self.happened.append)


class Recipient(Sender):
    """Takes what comes, in order; the first ``failing`` attempts fail."""

    def __init__(self, failing: int = 0) -> None:
        self.ids: list[str] = []
        self.failing = failing

    async def __aenter__(self) -> "Recipient":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, subscription: Subscription, notice: Notice) -> bool:
        self.ids.append(notice.id)
        self.failing -= 1
        return self.failing < 0


def notice(number: int) -> Notice:
    return Notice(f"n{number}", TOPIC, b"{}", 0.0)


def subscribed(recipient: Recipient, patience: Patience = ONCE, **faults: float) -> Notices:
    notices = Notices(recipient, patience, pace=1000)
    notices.subscriptions["s"] = Subscription("s", frozenset({TOPIC}), "")
    notices.faults = NoticeFaults(**faults)
    return notices


def test_nothing_is_sold_that_is_not_there_and_all_lines_or_none() -> None:
    told = Told()
    told.selling.offer("mug", 2)
    told.selling.offer("cap", 5)
    with pytest.raises(SoldOut, match="mug: asked for 3, available 2"):
        told.selling.sell({"cap": 1, "mug": 3})
    assert told.selling.levels == {"mug": 2, "cap": 5}
    assert not told.happened


def test_what_was_sold_comes_back_once_however_it_ends() -> None:
    told = Told()
    told.selling.offer("mug", 10)
    order = told.selling.sell({"mug": 5}, paid=False)
    told.selling.edit(order.id, {"mug": 4})
    told.selling.pay(order.id)
    told.selling.refund(order.id, {"mug": 1})
    assert (order.state, order.lines, told.selling.levels) == ("paid", {"mug": 3}, {"mug": 7})
    told.selling.cancel(order.id)
    told.selling.cancel(order.id)
    assert (order.state, order.lines, told.selling.levels) == ("cancelled", {"mug": 0}, {"mug": 10})
    assert [(one.event, one.units) for one in told.happened] == [
        ("created", {"mug": 5}),
        ("edited", {"mug": -1}),
        ("paid", {}),
        ("refunded", {"mug": -1}),
        ("cancelled", {"mug": -3}),
    ]


def test_no_more_is_refunded_than_was_sold() -> None:
    selling = Told().selling
    selling.offer("mug", 2)
    order = selling.sell({"mug": 2})
    with pytest.raises(ValueError, match="not"):
        selling.refund(order.id, {"mug": 3})
    selling.refund(order.id, restock=False)
    assert (order.state, selling.levels, selling.sold) == ("refunded", {"mug": 0}, {"mug": 0})


def test_levels_and_orders_agree_with_all_that_moved() -> None:
    selling = Told().selling
    chance = random.Random(1)
    selling.offer("mug", 50)
    for _ in range(500):
        order = chance.choice([*selling.orders] or [""])
        with contextlib.suppress(SoldOut, ValueError, KeyError):
            match chance.choice(["sell", "sell", "edit", "cancel", "refund", "set"]):
                case "sell":
                    selling.sell({"mug": chance.randint(1, 4)})
                case "edit":
                    selling.edit(order, {"mug": chance.randint(0, 4)})
                case "cancel":
                    selling.cancel(order)
                case "refund":
                    selling.refund(order, {"mug": 1})
                case "set":
                    selling.set("mug", chance.randint(0, 50))
    net = Counter[str]()
    for one in selling.moved:
        assert one.after >= 0
        net[one.cause] += one.after - one.before
    assert net["sold"] + net["returned"] == -selling.sold["mug"]
    assert sum(net.values()) == selling.levels["mug"]
    assert [one.after for one in selling.moved][:-1] == [one.before for one in selling.moved][1:]


async def test_buyers_buy_until_nothing_is_left() -> None:
    selling = Told().selling
    selling.offer("mug", 10)
    buyers = Buyers(selling)
    buyers.come(["mug"], per_s=1000, seconds=0.05, seed=1)

    async def gone() -> bool:
        return not buyers.buying

    await wait_until(gone)
    assert selling.levels["mug"] < 2
    assert buyers.turned_away > 0


async def test_notices_are_doubled_dropped_and_late_as_asked() -> None:
    twice, never = Recipient(), Recipient()
    async with subscribed(twice, doubled=1) as doubling, subscribed(never, dropped=1) as dropping:
        for notices in (doubling, dropping):
            notices.publish(notice(1))
        await wait_until(lambda: _all(len(twice.ids) == 2 and dropping.counts["dropped"] == 1))
    assert (twice.ids, never.ids) == (["n1", "n1"], [])


async def test_one_that_is_reordered_comes_after_the_next() -> None:
    recipient = Recipient()
    async with subscribed(recipient, reordered=1) as notices:
        notices.publish(notice(1))
        notices.faults = NoticeFaults()
        notices.publish(notice(2))
        await wait_until(lambda: _all(len(recipient.ids) == 2))
    assert recipient.ids == ["n2", "n1"]


async def test_the_vendor_tries_again_and_ends_a_subscription_that_only_fails() -> None:
    recipient = Recipient(failing=2)
    async with subscribed(recipient, Patience((1, 1, 1), 4)) as notices:
        notices.publish(notice(1))
        await wait_until(lambda: _all(len(recipient.ids) == 3))
        recipient.failing = 100
        notices.publish(notice(2))
        await wait_until(lambda: _all(not notices.subscriptions))
        notices.publish(notice(3))
        await asyncio.sleep(0)
    assert recipient.ids == ["n1"] * 3 + ["n2"] * 4
    assert notices.counts["ended"] == 1


def test_a_rule_that_nobody_wrote_down_cannot_be_broken() -> None:
    rules = Rules([Rule("at-most-250", "At most 250 quantities a call.", None)])
    rules.broke("at-most-250")
    with pytest.raises(KeyError):
        rules.broke("at-most-25")
    assert rules.broken == {"at-most-250": 1}


async def _all(true: bool) -> bool:
    return true
