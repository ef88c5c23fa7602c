"""Which lines are one sale: those of one number, or of one number and day where numbers begin again each day. Pure."""

from collections.abc import Hashable, Iterable, Sequence

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.invoice import Invoice, StockLine

DAILY, UNIQUE = "daily", "unique"
_TAKEN = (
    "each number is taken as one sale, whenever it comes again: say --receipts daily if numbers begin again each day"
)


def grouped(lines: Sequence[StockLine], numbers: str | None) -> tuple[tuple[Invoice, ...], tuple[str, ...]]:
    """Invoices by first appearance, and what to say about them. ``numbers``: as of `Profile.numbers`.

    Raises UnreadableFile where both readings are possible: a file of one day must give the same sales as one of a week,
    so what else is in the file never decides.
    """
    groups: dict[Hashable, list[StockLine]] = {}
    for line in lines:
        groups.setdefault((line.invoice, line.day) if numbers == DAILY else line.invoice, []).append(line)
    if numbers is None:
        _check_days(groups.values())
    invoices = tuple(
        Invoice(group[0].invoice, group[0].at, tuple(group), group[0].day if numbers == DAILY else None)
        for group in groups.values()
    )
    return invoices, (_TAKEN,) if numbers is None and invoices else ()


def _check_days(groups: Iterable[Sequence[StockLine]]) -> None:
    for group in groups:
        if other := next((line for line in group if line.day != group[0].day), None):
            raise UnreadableFile(
                f"number {group[0].invoice} stands on {group[0].day} (line {group[0].line}) and on {other.day} (line "
                f"{other.line}): say --receipts daily if numbers begin again each day, or --receipts unique if that is "
                "one sale"
            )
