"""Stock: every level, sku by location; only the rows in sight travel."""

import asyncio
import time
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.topic import Topic
from console.watched.orders import ORDERS_MAX, TooManyOrders
from console.watched.stock_table import SORTS, Sight
from server.problems import Overloaded

ROWS_MAX = 200
OFFSET_MAX = 10_000_000
WAIT_S = 3.0
"""For an order that nobody looks at yet: less than it takes a page to believe that the console is away."""


class Stock(Topic[Sight]):
    name = "stock"
    rows = "rows"
    key = ("sku",)

    def read(self, arguments: Arguments) -> Sight:
        return Sight(
            search=arguments.text("search").strip(),
            sort=arguments.choice("sort", SORTS),
            descending=arguments.flag("descending"),
            location=arguments.text("location"),
            offset=arguments.whole("offset", 0, 0, OFFSET_MAX),
            limit=arguments.whole("limit", 50, 1, ROWS_MAX),
            locations=arguments.texts("locations"),
        )

    async def turn(self, asked: Sight) -> None:
        table, until = self.watch.levels.table, time.monotonic() + WAIT_S
        try:
            while wait_s := table.wait_s(asked, now := time.monotonic()):
                if now + wait_s > until:
                    raise Overloaded("too many ask for new searches and orders of stock at once: this is tried again")
                await asyncio.sleep(wait_s)
        except TooManyOrders:
            detail = f"people look at {ORDERS_MAX} searches and orders of stock already: this is tried again"
            raise Overloaded(detail) from None
        table.order(asked, now)  # before anybody else has their turn

    async def data(self, asked: Sight) -> dict[str, Any]:
        now, levels = time.time(), self.watch.levels
        return {
            "at": text_of(now),
            "state": levels.state,
            "lag_ms": levels.lag_ms,
            **levels.table.rows(asked, time.monotonic()),
        }
