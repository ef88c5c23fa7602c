"""The sending part of an import of stock: what the file says is on the shelf is counted, where it differs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from stockwire.asyncio.client import AsyncClient
from stockwire.catalogue import Item
from stockwire.errors import StockwireError, VersionConflict
from stockwire.importing import words
from stockwire.importing.booking import make_location
from stockwire.importing.invoice import Reject
from stockwire.importing.plan import bounded_key, import_key
from stockwire.importing.progress import COUNTING, Progress
from stockwire.importing.sending import send
from stockwire.importing.stocklist import StockRow
from stockwire.level import Level
from stockwire.operation import Count, Operation
from stockwire.request import LIST_MAX

MOVED = "moved while it was counted"


@dataclass(frozen=True, slots=True)
class RefusedCount:
    line: int
    sku: str
    reason: str
    word: str


@dataclass
class Counted:
    """In lines of the file, but for ``items``, which were made."""

    counted: int = 0
    unchanged: int = 0
    items: int = 0
    refused: list[RefusedCount] = field(default_factory=list[RefusedCount])


def without_doubles(rows: Sequence[tuple[str, StockRow]], rejects: list[Reject]) -> list[tuple[str, StockRow]]:
    """The first of each level: lines that name a location and lines that name none may be of the same one."""
    first: dict[tuple[str, str], int] = {}
    for location, row in rows:
        if first.setdefault((location, row.sku), row.line) != row.line:
            reason = f"sku {row.sku!r} is there twice: first in line {first[location, row.sku]}"
            rejects.append(Reject(row.line, reason, row.original, words.TWICE, "sku"))
    return [(location, row) for location, row in rows if first[location, row.sku] == row.line]


async def count_stock(
    client: AsyncClient, rows: Sequence[tuple[str, StockRow]], progress: Progress, counted: Counted
) -> None:
    """``rows``: each with its location. A level that stands as the file says is left alone. Raises StockwireError.

    A count names the version that its level was read at: one that moves in between is refused, not counted over. Safe
    to run again after any end.
    """
    progress.begin(COUNTING, len(rows))
    for location in dict.fromkeys(location for location, _ in rows):
        await make_location(client, location)
    for begin in range(0, len(rows), LIST_MAX):
        portion = rows[begin : begin + LIST_MAX]
        await _count(client, portion, counted)
        progress.advance(len(portion))


async def _count(client: AsyncClient, portion: Sequence[tuple[str, StockRow]], counted: Counted) -> None:
    levels = await client.levels_of([(location, row.sku) for location, row in portion])
    pairs = list(zip(portion, levels, strict=True))
    todo = [(row, level) for (_, row), level in pairs if level.version == 0 or level.on_hand != row.on_hand]
    counted.unchanged += len(portion) - len(todo)
    if not todo:
        return
    new = _items(row for row, level in todo if level.version == 0)
    if new:
        counted.items += len((await client.items.put_many(new, keep_existing=True)).created)
    outcomes = await send(client, [_operation(row, level) for row, level in todo])
    for (row, _), outcome in zip(todo, outcomes, strict=True):
        if outcome.error is None:
            counted.counted += 1
        else:
            counted.refused.append(_refused(row, outcome.error))


def _operation(row: StockRow, level: Level) -> Operation:
    """The same count on the same version is the same operation, whoever sends it again."""
    key = import_key(level.location, f"{row.sku}:{level.version}:{row.on_hand}").replace("import:", "import-count:", 1)
    return Operation(bounded_key(key), Count(level.sku, level.location, row.on_hand, level.version, reason="import"))


def _items(rows: Iterable[StockRow]) -> list[Item]:
    return list({row.sku: Item(row.sku, row.name or row.sku) for row in rows}.values())


def _refused(row: StockRow, error: StockwireError) -> RefusedCount:
    word = MOVED if isinstance(error, VersionConflict) else "not taken by the ledger"
    return RefusedCount(row.line, row.sku, str(error), word)
