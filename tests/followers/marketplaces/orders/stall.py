"""A channel that is a list in the test's own process: it says what a test wants it to have said."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import orjson

from followers.marketplaces.adapter import Adapter, NoticeRefused, RemoteAway
from followers.marketplaces.orders.forms import order_json, order_of
from followers.marketplaces.remote import QuotaSpent
from followers.marketplaces.terms import (
    Check,
    Listing,
    Listings,
    Notice,
    Order,
    OrderLine,
    Orders,
    OrderState,
    Outcome,
    Received,
    Target,
)

PAGE = 3


class Stall(Adapter):
    """``words``: every change of every order, oldest first. ``away``: it does not answer. ``apart_s``: between polls,
    which were begun at the moments in ``polled``; ``spent``: its quota, for no time."""

    def __init__(self) -> None:
        self.apart_s = 0.0
        self.polled: list[float] = []
        self.spent = False
        self.words: list[Order] = []
        self.away = False
        self.asked = 0

    def say(self, identifier: str, state: OrderState, placed_ago_s: float = 0.0, **units: int) -> Order:
        """A change that is newer than all before. ``units``: by remote id."""
        now = datetime.now(UTC)
        before = [word for word in self.words if word.id == identifier]
        placed_at = before[0].placed_at if before else now - timedelta(seconds=placed_ago_s)
        lines = [OrderLine(remote, quantity) for remote, quantity in units.items()]
        word = Order(identifier, state, lines, placed_at, now, f"no-{identifier}")
        self.words.append(word)
        return word

    def notice(self, *words: Order, changed: Sequence[str] = (), identifier: str = "", **levels: int) -> Notice:
        said = {
            "id": identifier or secrets.token_hex(6),
            "orders": [order_json(word) for word in words],
            "changed": list(changed),
            "levels": levels,
        }
        return Notice({"secret": "right"}, orjson.dumps(said))

    async def receive(self, notice: Notice) -> Received:
        if notice.headers.get("secret") != "right":
            raise NoticeRefused("another secret")
        said = orjson.loads(notice.body)
        levels = [Listing(remote, quantity) for remote, quantity in said["levels"].items()]
        return Received(said["id"], [order_of(order) for order in said["orders"]], said["changed"], levels)

    async def order(self, identifier: str) -> Order | None:
        self._here()
        return next((word for word in reversed(self.words) if word.id == identifier), None)

    @property
    def polls_apart_s(self) -> float:
        return self.apart_s

    async def orders(self, since: datetime, cursor: str | None) -> Orders:
        await asyncio.sleep(0)
        self.polled.append(time.monotonic())
        if self.spent:
            raise QuotaSpent("orders", 0.0)
        self._here()
        newest = {word.id: word for word in self.words if word.updated_at >= since}
        begin = int(cursor or 0)
        page = sorted(newest.values(), key=lambda word: word.updated_at)[begin : begin + PAGE]
        return Orders(page, str(begin + PAGE) if begin + PAGE < len(newest) else None)

    def _here(self) -> None:
        self.asked += 1
        if self.away:
            raise RemoteAway("does not answer")

    async def push(self, targets: Sequence[Target]) -> Sequence[Outcome]:
        raise NotImplementedError

    async def levels(self, cursor: str | None) -> Listings:
        raise NotImplementedError

    async def read(self, remotes: Sequence[str]) -> Sequence[Listing]:
        raise NotImplementedError

    async def check(self, notices_url: str | None) -> Check:
        return Check()
