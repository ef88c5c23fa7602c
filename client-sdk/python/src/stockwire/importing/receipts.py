"""Which lines are one sale: those of one number, or of one number and day where numbers begin again each day. Pure.

An invoice of which a line was rejected is held back: booked without that line it would be another sale under its
number, to which the line could never be added.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from stockwire.importing.errors import UnreadableFile
from stockwire.importing.invoice import Invoice, StockLine, Unread

DAILY, UNIQUE = "daily", "unique"
_TAKEN = (
    "each number is taken as one sale, whenever it comes again: say --receipts daily if numbers begin again each day"
)
_REFUND = " refund "
_REFUNDED_CHARACTERS = 38
"""Of a number, so that with the time of the refund it has the 64 that a reference may have."""

Identity = tuple[str, date | None]


def grouped(
    lines: Sequence[StockLine], numbers: str | None, unread: Iterable[Unread] = ()
) -> tuple[tuple[Invoice, ...], tuple[str, ...]]:
    """Invoices by first appearance, and what to say about them. ``numbers``: as of `Profile.numbers`.

    Raises UnreadableFile where both readings are possible: a file of one day must give the same sales as one of a week,
    so what else is in the file never decides.
    """
    groups: dict[Identity, list[StockLine]] = {}
    for line in lines:
        groups.setdefault((line.invoice, line.day if numbers == DAILY else None), []).append(line)
    if numbers is None:
        _check_days(groups.values())
    held = _held(groups, unread)
    invoices = tuple(
        Invoice(number, group[0].at, tuple(group), day, tuple(held.get((number, day), ())))
        for (number, day), group in groups.items()
    )
    return invoices, (_TAKEN,) if numbers is None and invoices else ()


def refund_number(number: str, at: datetime) -> str:
    """A refund is an operation of its own, days after the sale whose number it has."""
    return f"{number[:_REFUNDED_CHARACTERS]}{_REFUND}{at:%Y%m%dT%H%M%SZ}"


def _held(invoices: Iterable[Identity], unread: Iterable[Unread]) -> Mapping[Identity, list[Unread]]:
    """Each invoice that is not whole, and the lines that it lacks: all, or the first of those that may be another's."""
    alike: dict[tuple[str, date | None, bool | None], list[Unread]] = {}
    for one in sorted(unread, key=lambda one: one.reject.line):
        alike.setdefault((one.number, one.day, one.refund), []).append(one)
    if not alike:
        return {}
    sales, refunds = _by_receipt(invoices)
    held: dict[Identity, list[Unread]] = {}
    for lines in alike.values():
        number, day, refund, *_ = lines[0]
        possible = [] if refund is True else sales.get(number, [])
        if refund is not False:
            possible = [*possible, *refunds.get(number[:_REFUNDED_CHARACTERS], ())]
        concerned = [one for one in possible if day is None or one[1] in (None, day)]
        for invoice in concerned:
            held.setdefault(invoice, []).extend(lines if len(concerned) == 1 else lines[:1])
    return held


def _by_receipt(invoices: Iterable[Identity]) -> tuple[dict[str, list[Identity]], dict[str, list[Identity]]]:
    """By their numbers, and the refunds among them by what they have of the number of their sale."""
    sales: dict[str, list[Identity]] = {}
    refunds: dict[str, list[Identity]] = {}
    for invoice in invoices:
        sales.setdefault(invoice[0], []).append(invoice)
        sale, is_refund, _ = invoice[0].partition(_REFUND)
        if is_refund:
            refunds.setdefault(sale, []).append(invoice)
    return sales, refunds


def _check_days(groups: Iterable[Sequence[StockLine]]) -> None:
    for group in groups:
        if other := next((line for line in group if line.day != group[0].day), None):
            raise UnreadableFile(
                f"number {group[0].invoice} stands on {group[0].day} (line {group[0].line}) and on {other.day} (line "
                f"{other.line}): say --receipts daily if numbers begin again each day, or --receipts unique if that is "
                "one sale"
            )
