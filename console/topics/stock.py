"""Stock: every level, sku by location; only the rows in sight travel."""

import time
from typing import Any

from console.moments import text_of
from console.topics.arguments import Arguments
from console.topics.topic import Topic
from console.watched.stock_table import SORTS, Sight

ROWS_MAX = 200
OFFSET_MAX = 10_000_000


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

    async def data(self, asked: Sight) -> dict[str, Any]:
        now, levels = time.time(), self.watch.levels
        return {
            "at": text_of(now),
            "state": levels.state,
            "lag_ms": levels.lag_ms,
            **levels.table.rows(asked, time.monotonic()),
        }
