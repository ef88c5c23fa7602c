"""What each method of a client asks and how it reads the answer: said once, for the async and the sync client alike."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, TypeVar

from stockwire import argument, request
from stockwire.answer import Answer, error_in
from stockwire.argument import VERSION_MAX
from stockwire.catalogue import HoldLimits, Item, Location, PutResult, item_fields
from stockwire.errors import Invalid, StockwireError, UnexpectedAnswer
from stockwire.level import Level, Malformed, fields, integer, rows, text
from stockwire.operation import Event, Line, Operation, OperationResult, Outcome
from stockwire.request import Request

T = TypeVar("T")
_OK_END = 300
Document = dict[str, Any]
"""The JSON object of a successful answer."""
_NUMBERED = re.compile(r"(\w+\[)([0-9]+)")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and what its answer is made into."""

    request: Request
    parse: Callable[[Document, Answer], T]

    def read(self, document: Document, answer: Answer) -> T:
        """Raises UnexpectedAnswer with the call's key: it was written, and the same answer can be asked for again."""
        try:
            return self.parse(document, answer)
        except (Malformed, AttributeError) as error:
            raise self._keyed(UnexpectedAnswer(f"the answer cannot be read: {error}", answer.status)) from error

    def _keyed(self, error: StockwireError) -> StockwireError:
        error.key = self.request.key
        return error


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """Things page by page: those behind ``after``, of all if it is None."""

    page_after: Callable[[str | None], Request]
    field: str
    parse: Callable[[Any], T]
    after: str | None = None

    def page(self) -> Call[tuple[list[T], "Listing[T] | None"]]:
        """The next page, and what is left behind it; None: this was the last."""
        return Call(self.page_after(self.after), self._read)

    def _read(self, document: Document, answer: Answer) -> tuple[list[T], "Listing[T] | None"]:
        things = _list(document, self.field, self.parse)
        following = document.get("next")
        if following is None:
            return things, None
        if str(following) == self.after:  # would fetch the same page for ever
            raise Malformed(f"the listing does not move on from {self.after!r}")
        # opaque: text in some listings, a number in others
        return things, Listing(self.page_after, self.field, self.parse, str(following))


@dataclass(frozen=True, slots=True)
class Part:
    """One of the calls that a long list needs. ``first``: the number of its first thing in the whole list."""

    call: Call[PutResult]
    first: int

    @contextmanager
    def numbered(self) -> Generator[None]:
        """A wrong thing is named by its number in the caller's list."""
        try:
            yield
        except Invalid as error:
            place = _NUMBERED.match(error.field)
            if not self.first or place is None:
                raise
            field = f"{place[1]}{int(place[2]) + self.first}{error.field[place.end() :]}"
            raise Invalid(field, error.reason) from error


def level(sku: str, location: str) -> Call[Level]:
    return Call(request.level(sku, location), lambda document, _: Level.parse(document))


def operation(lines: Sequence[Line], key: str | None) -> Call[OperationResult]:
    return _operation(request.operation(argument.each_of("lines", lines, Line, "Line"), key))


def operations(batch: Sequence[Operation]) -> Iterator[Call[list[Outcome]]]:
    """In their order, as many calls as their number and size need."""
    for asked, those in request.operations(argument.each_of("batch", batch, Operation, "Operation")):
        yield Call(asked, _results(those))


def outcomes(keys: Sequence[str]) -> Iterator[Call[list[Outcome]]]:
    for asked in request.outcomes(argument.several("keys", keys)):
        yield Call(asked, lambda document, _: [_outcome(row) for row in rows(document, "operations")])


def count(
    sku: str,
    location: str,
    on_hand: int,
    if_version: int | None,
    key: str | None,
    reference: str | None,
    reason: str | None,
) -> Call[OperationResult]:
    return _operation(request.count(sku, location, on_hand, if_version, key, reference, reason))


def levels(location: str | None) -> Listing[Level]:
    request.levels(location, None)  # what is wrong is said at the call, not when somebody begins to iterate
    return Listing(lambda after: request.levels(location, after), "levels", Level.parse)


def levels_of(keys: Iterable[tuple[str, str]]) -> Iterator[Call[list[Level]]]:
    """``keys``: (location, sku). As many calls as their number needs."""
    for query in request.levels_of(argument.several("keys", keys)):
        yield Call(query, lambda document, _: _list(document, "levels", Level.parse))


def history(sku: str, location: str, after_version: int) -> Listing[Event]:
    request.history(sku, location, None)
    after = str(argument.whole("after_version", after_version, 0, VERSION_MAX))
    return Listing(lambda after: request.history(sku, location, after), "events", Event.parse, after)


def hubs() -> Call[list[str]]:
    """Their WebSocket URLs."""
    return Call(request.discovery(), lambda document, _: _list(document, "hubs", _stream_url))


def put_item(
    sku: str,
    name: str,
    price: Decimal | None,
    currency: str | None,
    attributes: Mapping[str, Any] | None,
    hold_limits: HoldLimits | None = None,
) -> Call[Item]:
    known = item_fields(name, price, currency, attributes, hold_limits)
    return Call(request.put_thing("items", sku, known), lambda document, _: Item.parse(document))


def put_items(items: Iterable[Item], keep_existing: bool) -> Iterator[Part]:
    """As many calls as their number needs."""
    return _parts("items", argument.each_of("items", items, Item, "Item"), keep_existing)


def item(sku: str) -> Call[Item]:
    return Call(request.thing("items", sku), lambda document, _: Item.parse(document))


def items(after: str | None) -> Listing[Item]:
    argument.optional_text("after", after)
    return Listing(lambda page: request.things("items", page), "items", Item.parse, after)


def put_location(location: str, name: str) -> Call[Location]:
    asked = request.put_thing("locations", location, {"name": argument.text("name", name)})
    return Call(asked, lambda document, _: Location.parse(document))


def put_locations(locations: Iterable[Location], keep_existing: bool) -> Iterator[Part]:
    return _parts("locations", argument.each_of("locations", locations, Location, "Location"), keep_existing)


def location(name: str) -> Call[Location]:
    return Call(request.thing("locations", name), lambda document, _: Location.parse(document))


def locations(after: str | None) -> Listing[Location]:
    argument.optional_text("after", after)
    return Listing(lambda page: request.things("locations", page), "locations", Location.parse, after)


def _parts(collection: str, things: Sequence[Item | Location], keep_existing: bool) -> Iterator[Part]:
    bodies = [_body(f"{collection}[{number}]", thing) for number, thing in enumerate(things)]
    keep = argument.flag("keep_existing", keep_existing)
    for first, asked in request.put_things(collection, bodies, keep):
        yield Part(Call(asked, lambda document, _: PutResult.parse(document)), first)


def _body(place: str, thing: Item | Location) -> dict[str, Any]:
    try:
        return thing.body()
    except Invalid as error:
        raise Invalid(f"{place}.{error.field}", error.reason) from None


def _operation(asked: Request) -> Call[OperationResult]:
    key = asked.key or ""
    return Call(asked, lambda document, answer: OperationResult.parse(document, key=key, replayed=answer.replayed))


def _results(batch: Sequence[Operation]) -> Callable[[Document, Answer], list[Outcome]]:
    def parse(document: Document, _: Answer) -> list[Outcome]:
        results = [_outcome(row) for row in rows(document, "results")]
        if [result.key for result in results] != [operation.key for operation in batch]:
            raise Malformed("the results are not those of the operations")
        return results

    return parse


def _outcome(row: Any) -> Outcome:
    result = fields(row, "operation")
    key, lines = text(result, "key"), tuple(Line.parse(line) for line in result.get("lines", ()))
    if integer(result, "status") < _OK_END:
        return Outcome(key, text(result, "operation"), result.get("replayed", True) is True, None, lines)
    error = error_in(result, Answer(result["status"], {}, b""))
    error.key = key
    return Outcome(key, None, result.get("replayed", True) is True, error, lines)


def _list(document: Document, field: str, parse: Callable[[Any], T]) -> list[T]:
    """Raises Malformed."""
    return [parse(row) for row in rows(document, field)]


def _stream_url(hub: object) -> str:
    return text(fields(hub, "hub"), "stream")
