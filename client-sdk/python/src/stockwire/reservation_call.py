"""What each method of `reservations` asks and how it reads the answer, for the async and the sync client alike."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from stockwire import argument
from stockwire.answer import Answer
from stockwire.call import Call, Document, Listing
from stockwire.errors import Invalid
from stockwire.level import fields
from stockwire.operation import QUANTITY_MAX, OperationResult
from stockwire.request import Request, idempotency_key, name_of, page_of
from stockwire.reservation import Reservation, Wanted

_PATH = "/v1/reservations"
AGE_S_MAX = 10 * 365 * 86_400.0
"""As far back as a ledger looks."""


def reserve(
    lines: Sequence[Wanted], ttl_s: int | None, customer: str | None, reference: str | None, key: str | None
) -> Call[Reservation]:
    body = {
        "lines": [_wanted(place, line) for place, line in _placed(lines)],
        "ttl_s": _ttl(ttl_s),
        "customer": argument.optional_text("customer", customer),
        "reference": argument.optional_text("reference", reference),
    }
    return _change(_PATH, body, key)


def commit(known: str, lines: Sequence[Wanted] | None, fulfil: bool, key: str | None) -> Call[Reservation]:
    body = {"lines": _parts(lines), "fulfil": argument.flag("fulfil", fulfil) or None}
    return _change(f"{_path(known)}/commit", body, key)


def fulfil(known: str, lines: Sequence[Wanted] | None, key: str | None) -> Call[Reservation]:
    return _change(f"{_path(known)}/fulfil", {"lines": _parts(lines)}, key)


def cancel(known: str, lines: Sequence[Wanted] | None, key: str | None) -> Call[Reservation]:
    return _change(f"{_path(known)}/cancel", {"lines": _parts(lines)}, key)


def extend(known: str, ttl_s: int, key: str | None) -> Call[Reservation]:
    return _change(f"{_path(known)}/extend", {"ttl_s": argument.whole("ttl_s", ttl_s, 1, QUANTITY_MAX)}, key)


def change(known: str, lines: Sequence[Wanted], ttl_s: int | None, key: str | None) -> Call[Reservation]:
    quantities = [_part(place, line, 0) for place, line in _placed(lines)]
    for number, line in enumerate(quantities):
        if "quantity" not in line:
            raise Invalid(f"lines[{number}].quantity", "say how many are to be held; 0 lets go of the line")
    return _change(f"{_path(known)}/lines", {"lines": quantities, "ttl_s": _ttl(ttl_s)}, key)


def one(known: str) -> Call[Reservation]:
    return Call(Request("GET", _path(known)), lambda document, _: Reservation.parse(document))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which reservations a listing is to hold; None: whatever it is. Raises Invalid."""

    location: str | None = None
    sku: str | None = None
    state: str | None = None
    owner: str | None = None
    customer: str | None = None
    reference: str | None = None
    older_than_s: float | None = None

    def __post_init__(self) -> None:
        if self.location is not None:
            name_of("location", self.location)
        if self.sku is not None:
            name_of("sku", self.sku)
            if self.location is None:
                raise Invalid("sku", "needs a location beside it: a level is what units are held of")
        for name in ("state", "owner", "customer", "reference"):
            argument.optional_text(name, getattr(self, name))
        if self.older_than_s is not None:
            age_s = argument.seconds("older_than_s", self.older_than_s, most=AGE_S_MAX)
            object.__setattr__(self, "older_than_s", age_s)

    def page(self, after: str | None) -> Request:
        names = ("location", "sku", "state", "owner", "customer", "reference")
        query = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.older_than_s is not None:
            query["age_s"] = f"{self.older_than_s:f}"
        return Request("GET", _PATH, {**page_of(after), **query})


def reservations(asked: Asked) -> Listing[Reservation]:
    """The oldest first."""
    return Listing(asked.page, "reservations", Reservation.parse)


def _change(path: str, body: dict[str, Any], key: str | None) -> Call[Reservation]:
    said = {name: value for name, value in body.items() if value is not None}
    sent = idempotency_key(key)

    def parse(document: Document, answer: Answer) -> Reservation:
        result = OperationResult.parse(document, key=sent, replayed=answer.replayed)
        return Reservation.parse(fields(document.get("reservation"), "reservation"), result)

    return Call(Request("POST", path, body=orjson.dumps(said), key=sent), parse)


def _placed(lines: Sequence[Wanted]) -> list[tuple[str, Wanted]]:
    """Each with its place, by which an error names it."""
    found = argument.each_of("lines", lines, Wanted, "line: make it with held()")
    if not found:
        raise Invalid("lines", "none is named")
    return [(f"lines[{number}]", line) for number, line in enumerate(found)]


def _wanted(place: str, line: Wanted) -> dict[str, Any]:
    if not line.quantity:
        raise Invalid(f"{place}.quantity", f"{line.quantity} units cannot be held: at least 1")
    if len(line.locations) == 1:
        return _part(place, line, 1)
    names = [name_of(f"{place}.locations[{number}]", name) for number, name in enumerate(line.locations)]
    sku = name_of(f"{place}.sku", line.sku)
    return {"sku": sku, "locations": names, "quantity": line.quantity, "split": line.split}


def _parts(lines: Sequence[Wanted] | None) -> list[dict[str, Any]] | None:
    """None: the whole reservation."""
    return None if lines is None else [_part(place, line, 1) for place, line in _placed(lines)]


def _part(place: str, line: Wanted, least: int) -> dict[str, Any]:
    if len(line.locations) != 1:
        raise Invalid(f"{place}.locations", "a line of a reservation is at one location: say at which")
    part: dict[str, Any] = {
        "sku": name_of(f"{place}.sku", line.sku),
        "location": name_of(f"{place}.location", line.locations[0]),
    }
    if line.quantity is not None:
        part["quantity"] = argument.whole(f"{place}.quantity", line.quantity, least, QUANTITY_MAX)
    return part


def _ttl(ttl_s: int | None) -> int | None:
    return None if ttl_s is None else argument.whole("ttl_s", ttl_s, 1, QUANTITY_MAX)


def _path(known: str) -> str:
    try:
        return f"{_PATH}/{uuid.UUID(argument.text('id', known))}"
    except ValueError:
        raise Invalid("id", f"{known!r} is not the id of a reservation: that is a UUID") from None
