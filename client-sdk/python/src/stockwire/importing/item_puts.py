"""The sending part of an import of items: what the file says of each is put over what is known; the rest stays."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from stockwire.asyncio.client import AsyncClient
from stockwire.catalogue import Item
from stockwire.errors import Invalid
from stockwire.importing.invoice import Reject, zeros_lost_reject
from stockwire.importing.itemlist import ItemRow
from stockwire.importing.mangled import lost_zeros
from stockwire.importing.progress import ITEMS, LOOKING, Progress
from stockwire.request import LIST_MAX

NOT_TAKEN = "not taken by the ledger"
_NUMBERED = re.compile(r"items\[([0-9]+)\]")


@dataclass
class ItemsPut:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list[Reject])

    @property
    def applied(self) -> int:
        return self.created + self.updated + self.unchanged


async def put_items(
    client: AsyncClient,
    rows: Sequence[ItemRow],
    progress: Progress,
    put: ItemsPut,
    *,
    currency: str | None,
    keep_codes: bool,
) -> None:
    """``currency``: of prices whose line names none. Sends only what would change. Raises StockwireError.

    Safe to run again after any end; ``put`` says what was done until then.
    """
    progress.begin(LOOKING, len(rows))
    known = {item.sku: item async for item in client.items.list()}
    zeros = {} if keep_codes else lost_zeros((row.sku for row in rows), known)
    put.rejects += [
        zeros_lost_reject(row.line, row.sku, zeros[row.sku], row.original) for row in rows if row.sku in zeros
    ]
    sound = [(row, merged(known.get(row.sku), row, currency)) for row in rows if row.sku not in zeros]
    todo = [(row, item) for row, item in sound if item != known.get(item.sku)]
    put.unchanged = len(sound) - len(todo)
    progress.begin(ITEMS, len(todo))
    for begin in range(0, len(todo), LIST_MAX):
        portion = todo[begin : begin + LIST_MAX]
        await _put(client, portion, known, put)
        progress.advance(len(portion))


def merged(known: Item | None, row: ItemRow, currency: str | None) -> Item:
    """What a line leaves out, or leaves empty, says nothing: it stays as it is known."""
    item = replace(known or Item(row.sku, row.name), name=row.name)
    if row.price is not None:
        item = replace(item, price=row.price, currency=row.currency or currency)
    return replace(item, attributes={**item.attributes, **row.attributes}) if row.attributes else item


def without_currency(rows: Iterable[ItemRow]) -> bool:
    return any(row.price is not None and row.currency is None for row in rows)


async def _put(
    client: AsyncClient, portion: Sequence[tuple[ItemRow, Item]], known: Mapping[str, Item], put: ItemsPut
) -> None:
    """One line that no ledger takes refuses its whole list, by its number: it is rejected, the others are put."""
    left = list(portion)
    while left:
        try:
            result = await client.items.put_many([item for _, item in left])
        except Invalid as error:
            number = _NUMBERED.match(error.field)
            if number is None or int(number[1]) >= len(left):
                raise
            row, _ = left.pop(int(number[1]))
            put.rejects.append(Reject(row.line, f"{error.field}: {error.reason}", row.original, NOT_TAKEN))
            continue
        put.created += len(result.created)
        put.updated += len(result.updated)
        put.unchanged += result.unchanged
        return
