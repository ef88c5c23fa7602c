"""Request bodies: JSON that is checked while it is read, and what is said of one that is wrong."""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from server.problems import Invalid
from wire.names import NAME_PATTERN, NAME_REASON
from wire.repeated_names import repeated_name

T = TypeVar("T")

REASONS: Mapping[str, str] = {NAME_PATTERN: NAME_REASON}
"""What is said where a text does not match a pattern."""
FIELD_CHARACTERS_MAX = 128
"""The caller chose the name of an unknown field: an error does not echo a long one."""
REASON_CHARACTERS_MAX = 256

# msgspec names the field at the end of its message: "Expected `int`, got `str` - at `$.lines[3].quantity`".
_PLACE = re.compile(r" - at (?:`key` in )?`\$\.?([^`]*)`\Z")
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`\Z", re.DOTALL)
_MISMATCH = re.compile(r"Expected `str` matching regex (.*)\Z", re.DOTALL)


def decoded(
    decoder: msgspec.json.Decoder[T],
    body: bytes,
    reasons: Mapping[str, str] = REASONS,
    names_of: Callable[[T], int] | None = None,
) -> T:
    """Raises Invalid: 400 for what is no JSON, 422 with the path of the field for JSON that is wrong.

    Also for a name that an object has twice. The path is ``body`` for the whole. ``names_of``: how many names were read
    at least; then a large body is not read once more to find that none is there twice.
    """
    read = decoded_once(decoder, body, reasons)
    names = None if names_of is None else names_of(read)
    if (
        path := repeated_name(body, names)
    ) is not None:  # the decoder took the last, another reader would take the first
        raise Invalid(path[:FIELD_CHARACTERS_MAX], "must be given once", 422)
    return read


def decoded_once(decoder: msgspec.json.Decoder[T], body: bytes, reasons: Mapping[str, str] = REASONS) -> T:
    """As ``decoded``, where the same body is decoded again: names are not looked at."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise _wrong(str(error), reasons) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid("body", f"is no JSON: {error}", 400) from None
    except RecursionError:
        raise Invalid("body", "is nested too deeply", 400) from None


def _wrong(message: str, reasons: Mapping[str, str]) -> Invalid:
    """What msgspec said, as a field and a reason."""
    place = _PLACE.search(message)
    path = place[1] if place else ""
    reason = message[: place.start()] if place else message
    if field := _FIELD.match(reason):
        path = f"{path}.{field[2]}" if path else field[2]
        reason = "is required" if field[1].startswith("missing") else "is not a field here"
    elif mismatch := _MISMATCH.match(reason):
        reason = next((text for pattern, text in reasons.items() if repr(pattern) == mismatch[1]), reason)
    return Invalid(path[:FIELD_CHARACTERS_MAX] or "body", reason[:REASON_CHARACTERS_MAX], 422)
