"""What each method of `transfers` asks and how it reads the answer, for the async and the sync client alike."""

import uuid
from collections.abc import Mapping
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
from stockwire.reservation_call import AGE_S_MAX
from stockwire.transfer import Transfer

_PATH = "/v1/transfers"

Parts = Mapping[str, int | None]
"""Units by sku; None: all of it that are in transit."""


def send(source: str, target: str, units: Mapping[str, int], reference: str | None, key: str | None) -> Call[Transfer]:
    lines = _lines(units)
    for line in lines:
        if "quantity" not in line:
            raise Invalid(f"units[{line['sku']!r}]", "say how many are sent")
    body = {
        "from": name_of("source", source),
        "to": name_of("target", target),
        "lines": lines,
        "reference": argument.optional_text("reference", reference),
    }
    return _change(_PATH, body, key)


def receive(known: str, units: Parts | None, close: bool, reason: str | None, key: str | None) -> Call[Transfer]:
    body = {**_asked(units, reason), "close": argument.flag("close", close) or None}
    return _change(f"{_path(known)}/receive", body, key)


def return_(known: str, units: Parts | None, to: str | None, reason: str | None, key: str | None) -> Call[Transfer]:
    body = {**_asked(units, reason), "to": None if to is None else name_of("to", to)}
    return _change(f"{_path(known)}/return", body, key)


def close(known: str, units: Parts | None, reason: str | None, key: str | None) -> Call[Transfer]:
    return _change(f"{_path(known)}/close", _asked(units, reason), key)


def one(known: str) -> Call[Transfer]:
    return Call(Request("GET", _path(known)), lambda document, _: Transfer.parse(document))


@dataclass(frozen=True, slots=True)
class Asked:
    """Which transfers a listing is to hold; None: whatever it is. Raises Invalid."""

    source: str | None = None
    target: str | None = None
    state: str | None = None
    reference: str | None = None
    older_than_s: float | None = None

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            if (location := getattr(self, name)) is not None:
                name_of(name, location)
        for name in ("state", "reference"):
            argument.optional_text(name, getattr(self, name))
        if self.older_than_s is not None:
            age_s = argument.seconds("older_than_s", self.older_than_s, most=AGE_S_MAX)
            object.__setattr__(self, "older_than_s", age_s)

    def page(self, after: str | None) -> Request:
        said = {"from": self.source, "to": self.target, "state": self.state, "reference": self.reference}
        query = {name: value for name, value in said.items() if value is not None}
        if self.older_than_s is not None:
            query["age_s"] = f"{self.older_than_s:f}"
        return Request("GET", _PATH, {**page_of(after), **query})


def transfers(asked: Asked) -> Listing[Transfer]:
    """The oldest first."""
    return Listing(asked.page, "transfers", Transfer.parse)


def _change(path: str, body: dict[str, Any], key: str | None) -> Call[Transfer]:
    said = {name: value for name, value in body.items() if value is not None}
    sent = idempotency_key(key)

    def parse(document: Document, answer: Answer) -> Transfer:
        result = OperationResult.parse(document, key=sent, replayed=answer.replayed)
        return Transfer.parse(fields(document.get("transfer"), "transfer"), result)

    return Call(Request("POST", path, body=orjson.dumps(said), key=sent), parse)


def _asked(units: Parts | None, reason: str | None) -> dict[str, Any]:
    """``units``: None for all that is in transit."""
    lines = None if units is None else _lines(units)
    return {"lines": lines, "reason": argument.optional_text("reason", reason)}


def _lines(units: Parts) -> list[dict[str, Any]]:
    if not isinstance(units, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  whoever calls may have no types
        raise Invalid("units", f'a {type(units).__name__} is no mapping of skus to numbers, such as {{"A-100": 2}}')
    if not units:
        raise Invalid("units", "none is named")
    lines: list[dict[str, Any]] = []
    for sku, quantity in units.items():
        line: dict[str, Any] = {"sku": name_of("units", sku)}
        if quantity is not None:
            line["quantity"] = argument.whole(f"units[{sku!r}]", quantity, 1, QUANTITY_MAX)
        lines.append(line)
    return lines


def _path(known: str) -> str:
    try:
        return f"{_PATH}/{uuid.UUID(argument.text('id', known))}"
    except ValueError:
        raise Invalid("id", f"{known!r} is not the id of a transfer: that is a UUID") from None
