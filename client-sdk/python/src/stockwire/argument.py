"""What callers give: taken as what it is, or Invalid with the argument's name. One rule for both clients.

- **Text** is `str`. No number and no UUID is turned into text, and bytes are not.
- **A number** is whatever is one: int, float, Decimal, Fraction, and what counts as an index, as the integers of numpy
  do. Where whole numbers are asked for it must be whole: 2.0 is 2, and 2.5 is nothing. True and False are no numbers.
- **Several** of a thing are any iterable of them, but no text, which is several characters, and no mapping. Where their
  order matters, no set.
- What is to be called can be called. Moments have an offset. JSON is what JSON can say: no NaN.
"""

import math
import operator
import reprlib
from collections.abc import Callable, Iterable, Mapping, Set
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from inspect import isawaitable, iscoroutinefunction
from numbers import Real
from typing import Any, cast

from stockwire.errors import Invalid

UNITS_MAX = 2**31 - 1
"""As many as a level can hold."""
VERSION_MAX = 2**63 - 1
"""As far as a level's versions can count."""
SECONDS_MAX = 366 * 86_400.0
"""Longer than anybody waits, and within what every operating system takes."""
TIMEOUT_S_MIN = 0.001
"""Of a try or a connection: no time at all would never succeed."""
RETRIES_MAX = 1_000_000
_FAR = 2**64
"""Beyond every number that is asked for, and beyond the integers that JSON is read with."""


def text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise Invalid(field, f"{_shown(value)} is no text")
    if value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Invalid(field, f"{_shown(value)} has half a character (a lone surrogate)") from None
    return value


def optional_text(field: str, value: object) -> str | None:
    return None if value is None else text(field, value)


def whole(field: str, value: object, least: int, most: int) -> int:
    number = value if type(value) is int else _whole(value)
    if number is None:
        raise Invalid(field, f"{_shown(value)} is no whole number")
    if not least <= number <= most:
        raise Invalid(field, f"{number} is not within {least} and {most}")
    return number


def optional_version(field: str, value: object) -> int | None:
    """One below 0 is no level's: which is the ledger's to say."""
    return None if value is None else whole(field, value, -VERSION_MAX, VERSION_MAX)


def seconds(field: str, value: object, least: float = 0.0, most: float = SECONDS_MAX) -> float:
    try:
        number = float(cast(Any, value)) if _is_number(value) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isnan(number):
        raise Invalid(field, f"{_shown(value)} is no number of seconds")
    if not least <= number <= most:
        raise Invalid(field, f"{number:g} s is not within {least:g} and {most:g}")
    return number


def price(field: str, value: object) -> Decimal | None:
    """A float is no price: 0.1 is 0.1000000000000000055 there, and which of both was meant is not for us to say."""
    if value is None or (isinstance(value, Decimal) and value.is_finite()):
        return value
    if isinstance(value, float):
        raise Invalid(field, f"{value!r} is not exact: give a Decimal, such as Decimal('{value!r}')")
    number = None if isinstance(value, Decimal) else _whole(value)
    if number is None:
        raise Invalid(field, f"{_shown(value)} is no price: give a Decimal")
    return Decimal(number)


def moment(field: str, value: object) -> datetime:
    if not isinstance(value, datetime):
        raise Invalid(field, f"{_shown(value)} is no datetime")
    if value.tzinfo is UTC:  # nearly all
        return value
    offset = value.utcoffset()
    if offset is None:
        raise Invalid(field, "the time has no offset: give it a tzinfo, such as datetime.UTC")
    if offset % timedelta(minutes=1):
        raise Invalid(field, f"the offset {offset} is not in whole minutes: give the time in UTC")
    return value


def flag(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid(field, f"{_shown(value)} is neither True nor False")
    return value


def several(field: str, values: object, *, ordered: bool = True) -> list[Any]:
    """All of them, in their order."""
    given: object = values
    if isinstance(values, str | bytes | bytearray):
        raise Invalid(field, f"{_shown(given)} is one: give a list of them, also of one")
    if isinstance(values, Mapping) or (ordered and isinstance(values, Set)):
        why = "maps one thing to another" if isinstance(values, Mapping) else "has no order"
        raise Invalid(field, f"a {type(given).__name__} {why}: give a list")
    if not isinstance(values, Iterable):
        raise Invalid(field, f"{_shown(given)} is no list")
    return list(values)  # pyright: ignore[reportUnknownArgumentType]  # of anything: the cast that it asks for, mypy calls redundant


def each_of(field: str, values: object, kind: type, what: str) -> list[Any]:
    """Several, each a ``kind``."""
    found = several(field, values)
    for number, one in enumerate(found):
        if not isinstance(one, kind):
            raise Invalid(f"{field}[{number}]", f"{_shown(one)} is no {what}")
    return found


def stream_urls(field: str, values: object) -> list[str]:
    """WebSocket URLs, one at least."""
    urls = [text(field, url) for url in several(field, values)]
    if not urls:
        raise Invalid(field, "no URL is named: give one, or None for those that the ledger names")
    for url in urls:
        if not url.startswith(("ws://", "wss://")):
            raise Invalid(field, f"{_shown(url)} is no URL of a hub: it begins with ws:// or wss://")
    return urls


def function(field: str, value: object, *, blocking: bool = True) -> None:
    """``blocking``: it is called as it is, so that the coroutine of an async one would never run."""
    if not callable(value):
        raise Invalid(field, f"{_shown(value)} is no function")
    if blocking and _is_async(value):
        raise Invalid(field, "is an async function: here it is called without await")


async def awaited(field: str, given: object) -> object:
    """What an async function gives in the end."""
    if not isawaitable(given):
        raise Invalid(field, "the function did not give anything to await: it must be an async function here")
    return await given


def attributes(field: str, value: object) -> dict[str, Any] | None:
    """A JSON object, or None."""
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise Invalid(field, f"{_shown(value)} is no mapping of names to values")
    try:
        return _object(value)  # pyright: ignore[reportUnknownArgumentType]  # as above
    except Invalid as error:
        raise Invalid(field, f"{error} that JSON can say") from None
    except RecursionError:
        raise Invalid(field, "it is too deep, or contains itself") from None


def _object(members: Mapping[Any, Any]) -> dict[str, Any]:
    return {text("a name", name): _json(inner) for name, inner in members.items()}


def _json(value: object) -> Any:
    """As JSON has it: subclasses of its types, as numpy and enumerations have some, become what they stand for."""
    match value:
        case None | bool():
            return value
        case str():
            return text("a text", str.__str__(value))
        case int() if -(2**63) <= value < _FAR:
            return int(value)
        case float() if math.isfinite(value):
            return float(value)
        case Mapping():
            return _object(value)  # pyright: ignore[reportUnknownArgumentType]  # as above
        case list() | tuple():
            return [_json(inner) for inner in cast(Iterable[Any], value)]
    raise Invalid("a value", f"{_shown(value)} is nothing")


def _whole(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    try:
        return operator.index(cast(Any, value))
    except TypeError:
        pass
    try:
        number = cast(Any, value)
        # before it becomes an int: one of a billion digits would take all memory
        return int(number) if _is_number(value) and -_FAR < number < _FAR and int(number) == number else None
    except (TypeError, ValueError, ArithmeticError):
        return None


def _is_number(value: object) -> bool:
    return not isinstance(value, bool) and (isinstance(value, Real | Decimal) or hasattr(type(value), "__index__"))


def _is_async(value: Callable[..., object]) -> bool:
    return iscoroutinefunction(value) or iscoroutinefunction(getattr(value, "__call__", None))  # noqa: B004


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except Exception:  # noqa: BLE001 - foreign code: what cannot even be shown is still to be refused in words
        return f"a {type(value).__name__}"
