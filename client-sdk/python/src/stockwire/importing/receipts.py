"""Lines as invoices: which of them are one sale. Pure."""

from collections.abc import Sequence

from stockwire.importing.invoice import Invoice, StockLine


def grouped(lines: Sequence[StockLine], numbers: str | None) -> tuple[tuple[Invoice, ...], tuple[str, ...]]:
    """Invoices by first appearance, and what to say about them. ``numbers``: as of `Profile.numbers`."""
    invoices: dict[str, list[StockLine]] = {}
    for line in lines:
        invoices.setdefault(line.invoice, []).append(line)
    return tuple(Invoice(number, group[0].at, tuple(group)) for number, group in invoices.items()), ()
