"""Request bodies: their fields, every bound on them, and what is said of a wrong one."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.commit.line import SIGNS
from ledger.http.item_hold_limits import ItemHoldLimits
from ledger.limits import LINES_MAX
from server.http.body import REASONS as PLAIN_REASONS
from server.http.body import decoded, decoded_once
from server.problems import Invalid
from wire.messages import Name
from wire.names import INVISIBLE, NAME_PATTERN, NAME_REASON, are_plain
from wire.repeated_names import repeated_name

T = TypeVar("T")

SCOPES_MAX = 64
TOKEN_TTL_S_MAX = 3600
TOKEN_TTL_S_DEFAULT = 600
OCCURRED_YEARS = range(1900, 3000)
"""Far enough from the ends of the calendar that no offset from UTC leaves it."""
YEARS_REASON = f"must be from year {OCCURRED_YEARS.start} to {OCCURRED_YEARS.stop - 1}"
PRICE_DECIMALS_MAX = 4
PRICE_MAX = Decimal(10**10)
ATTRIBUTES_MAX = 64
EXACT_INTEGER_MAX = 2**53 - 1
"""The largest up to which every reader of JSON takes each whole number exactly (RFC 8259, 6)."""
NUMBER_REASON = f"is above {EXACT_INTEGER_MAX} and many readers of JSON would round it: send it as text"

# No control characters (PostgreSQL takes no NUL) and no lone surrogates (they are no UTF-8).
TEXT_PATTERN = r"^[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"
TEXT_REASON = "must have no control characters"
TITLE_PATTERN = rf"^(?![\s{INVISIBLE}]+\Z)[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*\Z"
TITLE_REASON = "must have a visible character, and no control characters"

ShortText = Annotated[str, Meta(max_length=256)]
Text = Annotated[ShortText, Meta(pattern=TEXT_PATTERN)]
Title = Annotated[str, Meta(min_length=1, max_length=256, pattern=TITLE_PATTERN)]
Owner = Annotated[str, Meta(min_length=1, max_length=128, pattern=TITLE_PATTERN)]
Quantity = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Units = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Version = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Moment = Annotated[datetime, Meta(tz=True)]
AttributeName = Annotated[str, Meta(min_length=1, max_length=64, pattern=TEXT_PATTERN)]
Attribute = Text | int | float | bool | None
Existing = Literal["replace", "keep"]
"""What a list does to those that are there already."""


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    """A misspelt field is refused: a typo in ``expected_version`` must not sell."""


class Movement(Body, frozen=True):
    """What its names and texts may be is checked of all lines of a request together, in ``check_lines``."""

    sku: str
    location: str
    quantity: Quantity
    kind: Literal["receipt", "return", "sale", "write_off", "adjustment"]
    reference: ShortText | None = None
    reason: ShortText | None = None
    occurred_at: Moment | None = None
    expected_version: Version | None = None


REQUIRED = 4
"""The fields of a movement that are always given."""


class Movements(Body, frozen=True):
    lines: Annotated[list[Movement], Meta(min_length=1, max_length=LINES_MAX)]


class Count(Body, frozen=True):
    """``expected_version``: required here or as If-Match; None opts out in so many words."""

    on_hand: Units
    expected_version: Version | UnsetType | None = UNSET
    reference: Text | None = None
    reason: Text | None = None
    occurred_at: Moment | None = None


class LevelKeys(Body, frozen=True):
    """Pairs of location and sku."""

    keys: Annotated[list[tuple[Name, Name]], Meta(max_length=LINES_MAX)]


class Item(Body, frozen=True):
    name: Title
    price: Decimal | None = None
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}\Z")] | None = None
    attributes: Annotated[dict[AttributeName, Attribute], Meta(max_length=ATTRIBUTES_MAX)] = {}  # a new one for each
    hold_limits: ItemHoldLimits | UnsetType | None = UNSET


class ListedItem(Item, frozen=True, kw_only=True):
    sku: Name


class Items(Body, frozen=True):
    items: Annotated[list[ListedItem], Meta(min_length=1, max_length=LINES_MAX)]
    existing: Existing = "replace"


class Location(Body, frozen=True):
    name: Title


class ListedLocation(Location, frozen=True, kw_only=True):
    location: Name


class Locations(Body, frozen=True):
    locations: Annotated[list[ListedLocation], Meta(min_length=1, max_length=LINES_MAX)]
    existing: Existing = "replace"


class Key(Body, frozen=True):
    owner: Owner
    scopes: Annotated[list[str], Meta(min_length=1, max_length=SCOPES_MAX)]
    name: Text = ""
    expires_at: Moment | None = None


class Introspection(Body, frozen=True):
    """One of the three. By ``id``: for who holds a token, which names the key that made it. ``ids``: which are good."""

    key: Annotated[str, Meta(min_length=1, max_length=8192)] | UnsetType = UNSET
    id: Annotated[str, Meta(min_length=1, max_length=64)] | UnsetType = UNSET
    ids: Annotated[list[Annotated[str, Meta(min_length=1, max_length=64)]], Meta(max_length=1000)] | UnsetType = UNSET


class Token(Body, frozen=True):
    scopes: Annotated[list[str], Meta(min_length=1, max_length=SCOPES_MAX)]
    ttl_s: Annotated[int, Meta(ge=1, le=TOKEN_TTL_S_MAX)] = TOKEN_TTL_S_DEFAULT


class _Form(Struct):
    """Which of the two forms of a movement it is."""

    lines: msgspec.Raw | UnsetType = UNSET


def movements(body: bytes, lines_max: int = LINES_MAX) -> list[Movement]:
    """One movement alone or a list of them. Raises Invalid."""
    if (one := one_movement(body)) is not None:
        return [one]
    if _is_one(body):
        found = [decode(_movement, body)]
        check_movement(found[0])
        return found
    found = decoded(_movements, body, REASONS, lambda read: 1 + names_of(read.lines)).lines
    check_lines(found, lines_max, "")
    return found


def one_movement(body: bytes) -> Movement | None:
    """The movement that stands there alone, with nothing wrong about it. Else None: ``movements`` says what it is."""
    try:
        movement = _movement.decode(body)
        check_movement(movement)
        return movement if repeated_name(body) is None else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Invalid):
        return None


def check_lines(lines: list[Movement], lines_max: int, path: str) -> None:
    if len(lines) > lines_max:
        raise Invalid(f"{path}lines", f"must be at most {lines_max}")
    plain = _are_plain(lines)
    for number, movement in enumerate(lines):
        if (fault := _fault(movement, plain)) is not None:
            raise Invalid(f"{path}lines[{number}].{fault[0]}", fault[1])
    check_versions(lines, path)


def names_of(lines: Sequence[Movement]) -> int:
    """How many names their objects have: of those that may be left out, the ones that are not null."""
    given = sum(
        (line.reference is not None)
        + (line.occurred_at is not None)
        + (line.reason is not None)
        + (line.expected_version is not None)
        for line in lines
    )
    return REQUIRED * len(lines) + given


def _is_one(body: bytes) -> bool:
    return decoded_once(_form, body, REASONS).lines is UNSET


def check_movement(movement: Movement) -> None:
    if (fault := _fault(movement, plain=False)) is not None:
        raise Invalid(*fault)


def _are_plain(lines: Sequence[Movement]) -> bool:
    """Whether no name or text of them needs a closer look."""
    said = {line.reference for line in lines}.union(line.reason for line in lines)
    return (
        are_plain([line.sku for line in lines])
        and are_plain({line.location for line in lines})
        and all(text is None or text.isprintable() for text in said)
    )


def _fault(movement: Movement, plain: bool) -> tuple[str, str] | None:
    """A field of it, and what is wrong with it. ``plain``: its names and texts are good."""
    if not plain and (fault := _unfit_text(movement)) is not None:
        return fault
    sign = SIGNS[movement.kind]
    if movement.quantity == 0:
        return "quantity", "must not be 0"
    if sign * movement.quantity < 0:
        return "quantity", f"must be {'above' if sign > 0 else 'below'} 0 for the kind {movement.kind}"
    if movement.occurred_at is not None and movement.occurred_at.year not in OCCURRED_YEARS:
        return "occurred_at", YEARS_REASON
    return None


def _unfit_text(movement: Movement) -> tuple[str, str] | None:
    if not _NAME.match(movement.sku):
        return "sku", NAME_REASON
    if not _NAME.match(movement.location):
        return "location", NAME_REASON
    if movement.reference is not None and not _TEXT.match(movement.reference):
        return "reference", TEXT_REASON
    if movement.reason is not None and not _TEXT.match(movement.reason):
        return "reason", TEXT_REASON
    return None


def check_versions(lines: Iterable[Movement], path: str = "") -> None:
    """Lines on one level are one event: they cannot expect two versions of it."""
    expected: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines):
        if line.expected_version is None:
            continue
        first = expected.setdefault((line.location, line.sku), line.expected_version)
        if first != line.expected_version:
            raise Invalid(f"{path}lines[{number}].expected_version", f"another line on the same level expects {first}")


def check_moment(moment: datetime | None, field: str) -> None:
    if moment is not None and moment.year not in OCCURRED_YEARS:
        raise Invalid(field, YEARS_REASON)


def items(body: bytes) -> Items:
    """Raises Invalid, with the number of the item in the list."""
    listed = decode(_items, body)
    check_once("items", "sku", [item.sku for item in listed.items])
    for number, item in enumerate(listed.items):
        check_item(item, f"items[{number}].")
    return listed


def locations(body: bytes) -> Locations:
    """Raises Invalid."""
    listed = decode(_locations, body)
    check_once("locations", "location", [one.location for one in listed.locations])
    return listed


def check_once(things: str, field: str, names: Sequence[str]) -> None:
    """A list that says two things of one name would leave it to chance which one stays."""
    first: dict[str, int] = {}
    for number, name in enumerate(names):
        if (earlier := first.setdefault(name, number)) != number:
            raise Invalid(f"{things}[{number}].{field}", f"is that of {things}[{earlier}] too")


def check_item(item: Item, path: str = "") -> None:
    price = item.price
    if price is not None:
        if not price.is_finite() or price < 0 or price >= PRICE_MAX:
            raise Invalid(f"{path}price", f"must be from 0 to below {PRICE_MAX}")
        if price != round(price, PRICE_DECIMALS_MAX):
            raise Invalid(f"{path}price", f"must have at most {PRICE_DECIMALS_MAX} digits after the point")
        if item.currency is None:
            raise Invalid(f"{path}currency", "is required with a price")
    for name, value in item.attributes.items():
        if isinstance(value, int) and not is_exact(value):
            raise Invalid(f"{path}attributes.{name}", NUMBER_REASON)


def is_exact(number: int) -> bool:
    """Whether every reader of JSON takes it as it is: 10 ** 20 is what a double shows of itself, 2 ** 53 + 1 is not."""
    if abs(number) <= EXACT_INTEGER_MAX:
        return True
    try:
        return Decimal(repr(float(number))) == number
    except OverflowError:
        return False


def decode(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Raises Invalid: 400 for what is no JSON, 422 with the path of the field for JSON that is wrong."""
    return decoded(decoder, body, REASONS)


_NAME = re.compile(NAME_PATTERN)
_TEXT = re.compile(TEXT_PATTERN)

_movement = msgspec.json.Decoder(Movement)
_movements = msgspec.json.Decoder(Movements)
_form = msgspec.json.Decoder(_Form)
count_decoder = msgspec.json.Decoder(Count)
level_keys_decoder = msgspec.json.Decoder(LevelKeys)
_items = msgspec.json.Decoder(Items)
_locations = msgspec.json.Decoder(Locations)
item_decoder = msgspec.json.Decoder(Item)
location_decoder = msgspec.json.Decoder(Location)
key_decoder = msgspec.json.Decoder(Key)
introspection_decoder = msgspec.json.Decoder(Introspection)
token_decoder = msgspec.json.Decoder(Token)

REASONS = {
    **PLAIN_REASONS,
    TEXT_PATTERN: TEXT_REASON,
    TITLE_PATTERN: TITLE_REASON,
    r"^[A-Z]{3}\Z": "must be three capital letters",
}
