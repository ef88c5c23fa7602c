"""The sending part of an import of sales: what was decided before is found, then items, opening stock and invoices."""

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import orjson

from stockwire.asyncio.client import AsyncClient
from stockwire.catalogue import Item
from stockwire.errors import NotFound, VersionConflict
from stockwire.importing.invoice import StockLine
from stockwire.importing.mangled import lost_zeros
from stockwire.importing.plan import Booking, Plan, bounded_key, import_key
from stockwire.importing.progress import BOOKING, ITEMS, LOOKING, OPENING, Progress
from stockwire.importing.sending import in_flight, send
from stockwire.importing.settled import RefusedInvoice, Settled, keys_to_ask, refusal, settle, zero_keys_to_ask
from stockwire.importing.shelf import Chunk, chunks, needed_at_first
from stockwire.level import Level
from stockwire.operation import Line, Operation, Outcome
from stockwire.request import LIST_MAX, OPERATIONS_PER_REQUEST_MAX

Opening = Mapping[str, int] | Literal["needed", "none"] | None
"""Units on hand by sku before the first movement; ``needed``: what the invoices need; None: nobody has said."""


class OpeningNotSaid(Exception):
    """Nothing has ever moved at the location, and nobody has said what was there before the first sale."""


@dataclass
class Booked:
    """Counted in lines of the file, but for ``items`` (made), and ``opening`` (units by sku).

    ``before``: of ``applied``, those that an earlier run had booked. ``left_alone``: skus of an opening file that have
    moved, so that it says nothing about them any more.
    """

    applied: int = 0
    before: int = 0
    items: int = 0
    opening: dict[str, int] = field(default_factory=dict[str, int])
    left_alone: int = 0
    refused: list[RefusedInvoice] = field(default_factory=list[RefusedInvoice])

    @property
    def refused_lines(self) -> int:
        return sum(invoice.file_lines for invoice in self.refused)


async def zeros_lost(client: AsyncClient, skus: Iterable[str]) -> dict[str, str]:
    """Skus that are no items, but items with zeros before them are. Asks for nothing where none is all digits."""
    digits = [sku for sku in skus if sku.isdecimal() and not sku.startswith("0")]
    return lost_zeros(digits, {item.sku async for item in client.items.list()}) if digits else {}


async def book(
    client: AsyncClient, plan: Plan, opening: Opening, progress: Progress, booked: Booked, currency: str | None
) -> None:
    """Book what ``plan`` says and was not booked before. Raises OpeningNotSaid, StockwireError after stopping the rest.

    Safe to run again after any end, and beside another import: what was booked answers as it did then.
    """
    settled = await _settle(client, plan, progress)
    booked.applied = booked.before = settled.applied
    booked.refused += settled.refused
    levels = await _levels(client, plan.location, _skus(settled.todo, opening), progress)
    shelf = {sku: level.available for sku, level in levels.items() if level.version > 0}
    first = await _first_stock(client, plan, settled.todo, opening, shelf)
    if isinstance(opening, Mapping):
        booked.left_alone = len(opening.keys() & shelf.keys())
    if not settled.todo and not first:
        return
    booked.items = await _make_items(client, plan, [sku for sku in levels if sku not in shelf], progress, currency)
    at = min((min(booking.times) for booking in settled.todo), default=None)
    booked.opening = await open_stock(client, plan.location, first, at, progress)
    await _book(client, chunks(settled.todo, {**booked.opening, **shelf}), progress, booked)


async def open_stock(
    client: AsyncClient, location: str, on_hand: Mapping[str, int], at: datetime | None, progress: Progress
) -> dict[str, int]:
    """Book what was there before the first movement, of each sku at most once for ever. Returns what was booked now.

    Every line expects version 0 of its level: whatever else books at the same time, a level that has moved gets none.
    """
    opened: dict[str, int] = {}
    progress.begin(OPENING, sum(units > 0 for units in on_hand.values()))
    for skus in _portions([sku for sku, units in on_hand.items() if units > 0], OPERATIONS_PER_REQUEST_MAX):
        todo, total = skus, len(skus)
        while todo:
            lines = [
                Line(sku, location, on_hand[sku], "receipt", reason="opening stock", occurred_at=at, if_version=0)
                for sku in todo
            ]
            (outcome,) = await send(client, [Operation(_opening_key(location, lines), lines)])
            if outcome.error is None:
                opened |= {sku: on_hand[sku] for sku in todo}
                break
            if not isinstance(outcome.error, VersionConflict):
                raise outcome.error
            # Each round leaves out at least the one that was in the way
            moved = {level.sku for level in await client.levels_of([(location, sku) for sku in todo]) if level.version}
            todo = [sku for sku in todo if sku not in moved | {outcome.error.current.sku}]
        progress.advance(total)
    return opened


async def make_location(client: AsyncClient, location: str) -> None:
    try:
        await client.locations.get(location)
    except NotFound:
        await client.locations.put(location, location)


def _opening_key(location: str, lines: Sequence[Line]) -> str:
    digest = hashlib.sha256(orjson.dumps([line.body() for line in lines])).hexdigest()[:32]
    return bounded_key(import_key(location, digest).replace("import:", "import-opening:", 1))


async def _settle(client: AsyncClient, plan: Plan, progress: Progress) -> Settled:
    """Other forms of a number are asked for only where it is not known itself, and something was ever booked."""
    known = await _known(client, keys_to_ask(plan.bookings), progress)
    settled = settle(plan.bookings, known)
    keys = zero_keys_to_ask(settled.todo)
    if not keys or not await _ever_moved(client, plan.location):
        return settled
    return settle(plan.bookings, known | await _known(client, keys, progress))


async def _known(client: AsyncClient, keys: Sequence[str], progress: Progress) -> dict[str, Outcome]:
    progress.begin(LOOKING, len(keys))
    known: dict[str, Outcome] = {}
    for portion in _portions(keys, OPERATIONS_PER_REQUEST_MAX):
        known |= {outcome.key: outcome for outcome in await client.outcomes(portion)}
        progress.advance(len(portion))
    return known


def _skus(bookings: Sequence[Booking], opening: Opening) -> list[str]:
    skus = [line.sku for booking in bookings for line in booking.lines]
    return list(dict.fromkeys([*skus, *(opening if isinstance(opening, Mapping) else ())]))


async def _levels(client: AsyncClient, location: str, skus: Sequence[str], progress: Progress) -> dict[str, Level]:
    progress.begin(LOOKING, len(skus))
    levels: dict[str, Level] = {}
    for portion in _portions(skus, LIST_MAX):
        levels |= {level.sku: level for level in await client.levels_of([(location, sku) for sku in portion])}
        progress.advance(len(portion))
    return levels


async def _first_stock(
    client: AsyncClient, plan: Plan, todo: Sequence[Booking], opening: Opening, shelf: Mapping[str, int]
) -> dict[str, int]:
    """Opening stock of skus that have never moved. Raises OpeningNotSaid."""
    if opening == "needed":
        return needed_at_first(todo, plan.held, shelf)
    if isinstance(opening, Mapping):
        return {sku: units for sku, units in opening.items() if sku not in shelf}
    if opening is None and todo and not shelf and not await _ever_moved(client, plan.location):
        raise OpeningNotSaid
    return {}


async def _ever_moved(client: AsyncClient, location: str) -> bool:
    try:
        async for _ in client.levels(location):
            return True
    except NotFound:
        pass
    return False


async def _make_items(
    client: AsyncClient, plan: Plan, skus: Sequence[str], progress: Progress, currency: str | None
) -> int:
    """Those that are missing. What is known of the others stays: somebody may have named them better."""
    await make_location(client, plan.location)
    progress.begin(ITEMS, len(skus))
    made = 0
    for portion in _portions(skus, LIST_MAX):
        items = [_item(sku, plan.items.get(sku), currency) for sku in portion]
        made += len((await client.items.put_many(items, keep_existing=True)).created)
        progress.advance(len(portion))
    return made


def _item(sku: str, line: StockLine | None, currency: str | None) -> Item:
    currency = (line.currency if line is not None else None) or currency
    price = line.price if line is not None and currency is not None else None
    name = line.name if line is not None and line.name else sku
    return Item(sku, name, price, currency if price is not None else None)


async def _book(client: AsyncClient, parts: Sequence[Chunk], progress: Progress, booked: Booked) -> None:
    """In order, several at once; one that needs an earlier one waits for it, and it has begun already."""
    done = [asyncio.Event() for _ in parts]
    progress.begin(BOOKING, sum(booking.file_lines for part in parts for booking in part.bookings))

    async def turn(index: int, part: Chunk) -> None:
        for earlier in part.after:
            await done[earlier].wait()
        outcomes = await send(client, [Operation(booking.key, booking.lines) for booking in part.bookings])
        for booking, outcome in zip(part.bookings, outcomes, strict=True):
            if outcome.error is None:
                booked.applied += booking.file_lines
            else:
                booked.refused.append(refusal(booking, outcome.error))
        progress.advance(sum(booking.file_lines for booking in part.bookings))
        done[index].set()

    await in_flight(turn(index, part) for index, part in enumerate(parts))


def _portions(things: Sequence[str], size: int) -> Iterable[Sequence[str]]:
    return (things[begin : begin + size] for begin in range(0, len(things), size))
