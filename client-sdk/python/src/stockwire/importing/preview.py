"""What the lines of a file would become, for a look before anything is booked. Pure."""

from collections.abc import Iterable, Sequence

from stockwire.importing.invoice import Invoice, Reject, StockLine
from stockwire.importing.itemlist import ItemList, ItemRow
from stockwire.importing.plan import Plan
from stockwire.importing.sheet import Sheet
from stockwire.importing.stocklist import StockList, StockRow

SHOWN = 10
EXAMPLES = 3


def preview_sales(sheet: Sheet, plan: Plan, count: int = SHOWN) -> list[tuple[int, str]]:
    """The first lines of the file, each with what it becomes or why it does not. ``plan``: of this sheet."""
    rejected = {reject.line for reject in plan.rejects}
    lines = (
        (line.line, _sale(line, invoice))
        for invoice in sheet.invoices
        for line in invoice.lines
        if line.line not in rejected
    )
    return _first(lines, plan.rejects, count)


def preview_items(items: ItemList, count: int = SHOWN) -> list[tuple[int, str]]:
    return _first(((row.line, _item(row)) for row in items.rows), items.rejects, count)


def preview_stock(stock: StockList, count: int = SHOWN) -> list[tuple[int, str]]:
    return _first(((row.line, _on_hand(row)) for row in stock.rows), stock.rejects, count)


def reject_words(rejects: Sequence[Reject]) -> list[tuple[str, int, tuple[Reject, ...]]]:
    """Each word, how many lines it stands for and the first of them; the most frequent first."""
    by_word: dict[str, list[Reject]] = {}
    for reject in rejects:
        by_word.setdefault(reject.word or reject.reason, []).append(reject)
    ordered = sorted(by_word.items(), key=lambda pair: (-len(pair[1]), pair[1][0].line))
    return [(word, len(group), tuple(group[:EXAMPLES])) for word, group in ordered]


def _first(lines: Iterable[tuple[int, str]], rejects: Sequence[Reject], count: int) -> list[tuple[int, str]]:
    rejected = [(reject.line, f"rejected: {reject.reason}") for reject in rejects[:count]]
    return sorted([*sorted(lines, key=lambda pair: pair[0])[:count], *rejected], key=lambda pair: pair[0])[:count]


def _sale(line: StockLine, invoice: Invoice) -> str:
    price = f" at {line.price}" if line.price is not None else ""
    currency = f" {line.currency}" if price and line.currency else ""
    name = f" ({line.name})" if line.name else ""
    at = line.at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{line.kind} {line.quantity:+d} {line.sku}{name}{price}{currency}, {invoice.number}, {at}"


def _item(row: ItemRow) -> str:
    price = f", {row.price}{f' {row.currency}' if row.currency else ''}" if row.price is not None else ""
    attributes = "".join(f", {name}={text}" for name, text in row.attributes.items())
    return f"item {row.sku}: {row.name}{price}{attributes}"


def _on_hand(row: StockRow) -> str:
    return f"{row.sku}: {row.on_hand} on hand{f' in {row.location}' if row.location else ''}"
