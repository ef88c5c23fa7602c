"""The sample shop: its items and opening stock, booked through the HTTP API like anybody's, and what its page shows."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from cli.data_folder import DataFolder
from cli.shop import Card
from cli.terminal.screen import Screen
from stockwire import AsyncClient, Item
from stockwire.errors import NotFound
from stockwire.importing import read_sheet
from stockwire.importing.booking import open_stock
from stockwire.importing.invoice import StockLine
from stockwire.importing.plan import Plan, make_plan
from stockwire.importing.progress import Progress
from stockwire.importing.shelf import needed

LOCATION = "shop"
LOCATION_NAME = "Sample shop"
CURRENCY, CURRENCY_SIGN = "GBP", "£"
CARDS = 24  # products on the page: those sold most often
_LOADED = "sample.loaded"

FILE = next(iter(Path(__file__).with_name("sample").glob("*.csv.gz")), None)


class NoSample(Exception):
    """The clone is incomplete."""


def read_sample() -> Plan:
    """Reads and plans the whole file: about a second, so not on the event loop. Raises NoSample."""
    if FILE is None:
        raise NoSample("cli/sample holds no sales file: take the whole repository")
    return make_plan(read_sheet(FILE), LOCATION)


class SampleShop:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.needs = needed(booking.lines for booking in plan.bookings)

    def cards(self) -> Sequence[Card]:
        sold = Counter(line.sku for booking in self.plan.bookings for line in booking.lines if line.kind == "sale")
        best = (sku for sku, _ in sold.most_common() if self.plan.items.get(sku) is not None)
        return [_card(sku, self.plan.items[sku]) for sku, _ in zip(best, range(CARDS), strict=False)]

    async def load(self, client: AsyncClient, folder: DataFolder, screen: Screen) -> None:
        """Safe to repeat: items and location are put, what has never moved gets opening stock. Skipped once done."""
        if folder.secret(_LOADED) == self._mark() and await _known(client):
            return
        with screen.stage(f"Sample shop opened ({len(self.plan.items):,} items)"):
            await client.locations.put(LOCATION, LOCATION_NAME)
            await client.items.put_many(_item(sku, line) for sku, line in self.plan.items.items())
            await open_stock(client, LOCATION, self.needs, None, Progress(lambda _: None))
        folder.keep_secret(_LOADED, self._mark())

    def _mark(self) -> str:
        return hashlib.sha256(json.dumps(self.needs, sort_keys=True).encode()).hexdigest()


async def _known(client: AsyncClient) -> bool:
    """Whether this database is still the one that was loaded: a new one has no such location."""
    try:
        await client.locations.get(LOCATION)
    except NotFound:
        return False
    return True


def _item(sku: str, line: StockLine | None) -> Item:
    price = line.price if line else None
    return Item(sku, (line.name if line else "") or sku, price, CURRENCY if price is not None else None)


def _card(sku: str, line: StockLine | None) -> Card:
    name = line.name if line else sku
    return Card(sku, name, f"{CURRENCY_SIGN}{line.price:.2f}" if line and line.price is not None else "")
