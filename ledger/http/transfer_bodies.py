"""Bodies of requests about transfers: their fields, every bound on them, and what is said of a wrong one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from ledger.http.bodies import Body, Text, decode
from ledger.http.hold_bodies import Units
from ledger.limits import LINES_MAX
from server.problems import Invalid
from wire.messages import Name

TRANSFER_LINES_MAX = LINES_MAX // 2
"""Each line touches two levels: so many fit into one operation."""


class TransferLine(Body, frozen=True):
    sku: Name
    quantity: Units


class TransferPart(Body, frozen=True):
    """``quantity``: None for all that is in transit."""

    sku: Name
    quantity: Units | None = None


PartList = Annotated[list[TransferPart], Meta(min_length=1, max_length=TRANSFER_LINES_MAX)]


class Transfer(Body, frozen=True, rename={"source": "from", "target": "to"}):
    source: Name
    target: Name
    lines: Annotated[list[TransferLine], Meta(min_length=1, max_length=TRANSFER_LINES_MAX)]
    reference: Text | None = None


class Parts(Body, frozen=True):
    """``lines``: None for all that is in transit."""

    lines: PartList | None = None
    reason: Text | None = None


class Arrival(Parts, frozen=True):
    """``close``: nothing more comes, what is missing is lost."""

    close: bool = False


class Return(Parts, frozen=True, rename={"target": "to"}):
    """``target``: None for the location that they came from."""

    target: Name | None = None


T = TypeVar("T", bound=Parts)


def transfer(body: bytes, lines_max: int) -> Transfer:
    """``lines_max``: of an operation; a transfer has half of it. Raises Invalid."""
    asked = decode(_transfer, body)
    if asked.source == asked.target:
        raise Invalid("to", "must be another location than from")
    most = max(1, lines_max // 2)
    if len(asked.lines) > most:
        raise Invalid("lines", f"must be at most {most}")
    _check_once(asked.lines)
    return asked


def arrival(body: bytes) -> Arrival:
    """No body asks for all of it. Raises Invalid, as those below do."""
    return _about_parts(decode(_arrival, body or b"{}"))


def return_(body: bytes) -> Return:
    return _about_parts(decode(_return, body or b"{}"))


def closing(body: bytes) -> Parts:
    return _about_parts(decode(_closing, body or b"{}"))


def units_of(lines: Sequence[TransferLine]) -> Mapping[str, int]:
    return {line.sku: line.quantity for line in lines}


def parts_of(lines: Sequence[TransferPart] | None) -> Mapping[str, int | None] | None:
    return None if lines is None else {line.sku: line.quantity for line in lines}


def _about_parts(asked: T) -> T:
    if asked.lines is not None:
        _check_once(asked.lines)
    return asked


def _check_once(lines: Sequence[TransferLine | TransferPart]) -> None:
    """A sku that is named twice may be a mistake: nobody knows which of the two was meant."""
    named: dict[str, int] = {}
    for number, line in enumerate(lines):
        if (first := named.setdefault(line.sku, number)) != number:
            raise Invalid(f"lines[{number}].sku", f"{line.sku} is named by lines[{first}] too")


_transfer = msgspec.json.Decoder(Transfer)
_arrival = msgspec.json.Decoder(Arrival)
_return = msgspec.json.Decoder(Return)
_closing = msgspec.json.Decoder(Parts)
