"""Plays the sample's real invoices as live traffic, round after round, and goes on where it stopped.

Each invoice goes in parcels of a few lines, so that the wholesale order of 600 lines does not stop the ticking for a
quarter of a minute. A parcel is one operation with a key of its own, the same whenever it is sent again: one that was
under way when everything stopped is sent once more and has one effect. What runs low is restocked. The key ends with a
digest of the lines: another sample or other parcels in the next version are other operations, not a key used twice.
"""

import asyncio
import hashlib
import json
import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cli.data_folder import write_private
from stockwire import AsyncClient, Line, OperationResult
from stockwire.errors import Later, OutOfStock, UnexpectedAnswer
from stockwire.importing.plan import Booking
from stockwire.operation import receipt

PARCEL_LINES = 5
IN_FLIGHT = 8  # operations under way at once
BEHIND_MAX_S = 2.0  # what an outage has cost beyond this is not caught up: a pause, then the pace asked for
RESTOCK_BELOW = 0.1  # of what a round needs of the sku
RESTOCK_LEAST = 10
SAVE_EVERY_S = 0.5
_TRIES_MAX = 4 * PARCEL_LINES
_PAUSE_S = 1.0

logger = logging.getLogger("stockwire.up")


@dataclass(frozen=True, slots=True)
class Parcel:
    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the replay is. ``run`` makes its keys its own: a new data folder on an old database plays again."""

    run: str
    round: int
    parcel: int


def parcels(bookings: Sequence[Booking]) -> list[Parcel]:
    """Without the old dates: these sales happen now."""
    return [
        Parcel(f"{booking.invoice}:{number}", tuple(replace(line, occurred_at=None) for line in lines))
        for booking in bookings
        for number, lines in enumerate(_chunks(booking.lines))
    ]


def restock(result: OperationResult, needs: Mapping[str, int]) -> list[Line]:
    """Receipts for what the operation has left low."""
    return [
        _receipt(level.sku, level.location, needs)
        for level in result.levels
        if level.available < needs.get(level.sku, 0) * RESTOCK_BELOW
    ]


def operation_key(name: str, lines: Sequence[Line]) -> str:
    """The same for the same lines only: a ledger refuses a key that comes again with other lines."""
    content = json.dumps([line.body() for line in lines], sort_keys=True)
    return f"{name}:{hashlib.sha256(content.encode()).hexdigest()[:12]}"


class Replay:
    """``needs``: units of each sku that a round takes at most, with which it is restocked. ``speed``: changes per
    second, above 0. Run it once."""

    def __init__(
        self, client: AsyncClient, file: Path, bookings: Sequence[Booking], needs: Mapping[str, int], speed: float
    ) -> None:
        self._client = client
        self._file = file
        self._parcels = parcels(bookings)
        self._needs = needs
        self._speed = speed
        self._place = self._read_place()
        self._under_way: set[tuple[int, int]] = set()
        self._due = 0.0

    async def run(self) -> None:
        """For ever. Raises StockwireError for what trying again does not mend."""
        self._due = asyncio.get_running_loop().time()
        todo = self._todo()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_saved(), name="replay position")
                for _ in range(IN_FLIGHT):
                    tasks.create_task(self._work(todo), name="replay")
        finally:
            self._save()

    def _todo(self) -> Iterator[tuple[int, int]]:
        """Round and parcel, from the place on."""
        number, index = self._place.round, self._place.parcel
        while True:
            for parcel in range(index, len(self._parcels)):
                yield number, parcel
            number, index = number + 1, 0

    async def _work(self, todo: Iterator[tuple[int, int]]) -> None:
        while True:
            step = next(todo)
            self._under_way.add(step)
            parcel = self._parcels[step[1]]
            await self._pace(len(parcel.lines))
            await self._play(f"replay:{self._place.run}:{step[0]}:{parcel.name}", parcel.lines)
            self._under_way.discard(step)
            # Everything before the oldest that is under way is done; nothing under way: everything before the next
            number, index = min(self._under_way, default=(step[0], step[1] + 1))
            self._place = replace(self._place, round=number, parcel=index)

    async def _pace(self, lines: int) -> None:
        now = asyncio.get_running_loop().time()
        due = self._due = max(self._due, now - BEHIND_MAX_S)
        self._due += lines / self._speed
        await asyncio.sleep(max(0.0, due - now))

    async def _play(self, key: str, lines: tuple[Line, ...]) -> None:
        """A refusal is stored under its key, so the next try after restocking has the next key."""
        for tried in range(_TRIES_MAX):
            try:
                result = await self._operation(lines, f"{key}:{tried}")
            except OutOfStock as error:
                shortage = [_receipt(error.sku, error.location, self._needs, error.requested)]
                await self._operation(shortage, f"{key}:{tried}:restock")
                continue
            if low := restock(result, self._needs):
                await self._operation(low, f"{key}:{tried}:restock")
            return
        logger.warning("a booking was refused and is left out booking=%s tries=%d", key, _TRIES_MAX)

    async def _operation(self, lines: Sequence[Line], name: str) -> OperationResult:
        """Sent with the same key until somebody answers."""
        key = operation_key(name, lines)
        while True:
            try:
                return await self._client.operation(lines, key=key)
            except (Later, UnexpectedAnswer) as error:
                logger.debug("the replay waits reason=%r", str(error))
                await asyncio.sleep(_PAUSE_S)

    async def _keep_saved(self) -> None:
        saved = self._place
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            if self._place != saved:
                saved = self._place
                self._save()

    def _save(self) -> None:
        place = {"run": self._place.run, "round": self._place.round, "parcel": self._place.parcel}
        write_private(self._file, json.dumps(place) + "\n")

    def _read_place(self) -> Place:
        try:
            kept = json.loads(self._file.read_text())
            place = Place(str(kept["run"]), int(kept["round"]), int(kept["parcel"]))
        except (OSError, ValueError, KeyError, TypeError):
            return Place(secrets.token_hex(4), 1, 0)
        return place if 0 <= place.parcel <= len(self._parcels) and place.round >= 1 else replace(place, parcel=0)


def _chunks(lines: tuple[Line, ...]) -> Iterator[tuple[Line, ...]]:
    for begin in range(0, len(lines), PARCEL_LINES):
        yield lines[begin : begin + PARCEL_LINES]


def _receipt(sku: str, location: str, needs: Mapping[str, int], at_least: int = 0) -> Line:
    return receipt(sku, location, max(needs.get(sku, 0), at_least, RESTOCK_LEAST), reason="restock")
