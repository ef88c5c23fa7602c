"""Names of items and locations, listed again now and then: nobody is told when they change."""

import asyncio
import logging
from collections.abc import Callable

from stockwire import AsyncClient
from stockwire.errors import StockwireError

EVERY_S = 60.0
AGAIN_S = 2.0
ITEMS_MAX = 200_000
"""Names that are kept: some 20 MB. Skus beyond it are shown without."""
_BREATH = 1_000

log = logging.getLogger(__name__)


class Catalogue:
    """``locations``: names by location. ``told`` is called with the names of items whenever they were listed."""

    def __init__(self, client: AsyncClient, told: Callable[[dict[str, str]], None]) -> None:
        self._client = client
        self._told = told
        self.locations: dict[str, str] = {}
        self.items = 0

    async def run(self) -> None:
        while True:
            try:
                await self._list()
                pause_s = EVERY_S
            except StockwireError as error:
                log.warning("items and locations could not be listed reason=%r", str(error))
                pause_s = AGAIN_S
            await asyncio.sleep(pause_s)

    async def _list(self) -> None:
        self.locations = {one.location: one.name async for one in self._client.locations.list()}
        names: dict[str, str] = {}
        count = 0
        async for item in self._client.items.list():
            count += 1
            if len(names) < ITEMS_MAX:
                names[item.sku] = item.name
            if count % _BREATH == 0:
                await asyncio.sleep(0)
        self.items = count
        self._told(names)
