"""Which invoices of a file were decided before, by this or an earlier import, and how. Pure.

A key tells what was asked for under it. The same goods at the same times are the same invoice, in whatever order its
lines stand; anything else under its key is another one, which is not booked. An import that read numbers otherwise used
another key, and one of an older version booked all that a file had of a number as one: what they have booked is found.
So is what was booked under a number with the zeros that a spreadsheet has taken from it since, or without them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stockwire.errors import OutOfStock, StockwireError
from stockwire.importing.plan import Booking, goods
from stockwire.operation import Line, Outcome

NOT_ENOUGH = "not enough stock"
BEFORE = "booked before with other lines"


@dataclass(frozen=True, slots=True)
class RefusedInvoice:
    """``word``: the kind of reason, to count by. ``file_lines``: how many lines of the file it stands for."""

    invoice: str
    file_lines: int
    reason: str
    word: str
    first_line: int = 0


@dataclass(frozen=True, slots=True)
class Settled:
    """``todo`` in the order of the plan. ``applied``: lines of the file that were booked before."""

    todo: tuple[Booking, ...]
    applied: int
    refused: tuple[RefusedInvoice, ...]


def keys_to_ask(bookings: Iterable[Booking]) -> list[str]:
    return list(dict.fromkeys(key for booking in bookings for key in (booking.key, *booking.other_keys)))


def zero_keys_to_ask(bookings: Iterable[Booking]) -> list[str]:
    """For those that `keys_to_ask` did not find."""
    return list(dict.fromkeys(key for booking in bookings for key in booking.zero_keys))


def settle(bookings: Sequence[Booking], known: Mapping[str, Outcome]) -> Settled:
    if not known:
        return Settled(tuple(bookings), 0, ())
    by_number: dict[str, list[Booking]] = {}
    for booking in bookings:
        by_number.setdefault(booking.invoice, []).append(booking)
    todo: list[Booking] = []
    refused: list[RefusedInvoice] = []
    applied = 0
    for booking in bookings:
        verdict = _verdict(booking, by_number[booking.invoice], known)
        if verdict is None:
            todo.append(booking)
        elif isinstance(verdict, RefusedInvoice):
            refused.append(verdict)
        else:
            applied += booking.file_lines
    return Settled(tuple(todo), applied, tuple(refused))


def refusal(booking: Booking, error: StockwireError) -> RefusedInvoice:
    word = NOT_ENOUGH if isinstance(error, OutOfStock) else type(error).__name__
    return RefusedInvoice(booking.invoice, booking.file_lines, str(error), word, booking.first_line)


def _verdict(booking: Booking, namesakes: Sequence[Booking], known: Mapping[str, Outcome]) -> "Verdict":
    """None: not decided yet."""
    own = known.get(booking.key)
    if own is not None:
        return _decided(own, booking) if _same(own.lines, [booking]) else _other(booking, own.lines)
    for outcome in (known[key] for key in booking.other_keys if key in known):
        if _is_of(outcome, booking, namesakes):
            return _decided(outcome, booking)
        if booking.day is None or _days(outcome.lines) & {at.date() for at in booking.times}:
            return _other(booking, outcome.lines)
    for outcome in (known[key] for key in booking.zero_keys if key in known):
        if _is_of(outcome, booking, namesakes):  # else it is a number of its own: some count 0012 and 12 apart
            return _decided(outcome, booking)
    return None


Verdict = RefusedInvoice | bool | None


def _is_of(outcome: Outcome, booking: Booking, namesakes: Sequence[Booking]) -> bool:
    return _same(outcome.lines, [booking]) or (len(namesakes) > 1 and _same(outcome.lines, namesakes))


def _decided(outcome: Outcome, booking: Booking) -> Verdict:
    return True if outcome.error is None else refusal(booking, outcome.error)


def _other(booking: Booking, lines: Sequence[Line]) -> RefusedInvoice:
    """Where the days differ it is most likely another receipt of the same number."""
    days = sorted(_days(lines))
    when = f", on {days[0]}" if days else ""
    elsewhen = booking.day is None and days and not _days(lines) & {at.date() for at in booking.times}
    hint = ": where numbers begin again each day, say --receipts daily" if elsewhen else ""
    reason = f"booked before with other lines{when}{hint}"
    return RefusedInvoice(booking.invoice, booking.file_lines, reason, BEFORE, booking.first_line)


def _same(lines: Sequence[Line], bookings: Sequence[Booking]) -> bool:
    times = {at for booking in bookings for at in booking.times}
    asked = (line for booking in bookings for line in booking.lines)
    return goods(lines) == goods(asked) and all(line.occurred_at in times for line in lines)


def _days(lines: Iterable[Line]) -> set[date]:
    return {line.occurred_at.date() for line in lines if line.occurred_at is not None}
