"""A level: the stock of one sku at one location, as the ledger states it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict, cast


class Malformed(ValueError):
    """What was received has not the shape that protocol v1 gives it. ``field``: which, if it is about one."""

    def __init__(self, reason: str, field: str = "") -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.reason = reason
        self.field = field


@dataclass(frozen=True, slots=True)
class LevelNumbers:
    """Where a level stands, in units. ``available`` = ``on_hand`` - ``reserved``; ``version`` counts its events."""

    sku: str
    location: str
    version: int
    on_hand: int
    reserved: int
    available: int

    @property
    def key(self) -> tuple[str, str]:
        """``(location, sku)``, by which a view finds it."""
        return (self.location, self.sku)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "LevelNumbers":
        """Raises Malformed. Unknown fields are ignored."""
        return LevelNumbers(**_numbers(data))


@dataclass(frozen=True, slots=True)
class Level(LevelNumbers):
    """A level and the event that made this version of it. Absolute values: the newest version wins, so seeing one twice
    or missing one does no harm.

    Version 0: nothing has ever been booked, ``kind`` and ``committed_at`` are None. ``committed_at`` is in UTC; ``seq``
    is the number of the event in ``shard``. ``traceparent``: of an operation that this change tells, if one is traced
    and it was told as it happened (W3C Trace Context); levels are equal without it.
    """

    kind: str | None
    committed_at: datetime | None
    shard: int
    seq: int
    traceparent: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> "Level":
        """Raises Malformed. Unknown fields are ignored."""
        committed_at = data.get("committed_at")
        return Level(
            **_numbers(data),
            kind=optional_text(data, "kind"),
            committed_at=None if committed_at is None else moment(data, "committed_at"),
            shard=integer(data, "shard"),
            seq=integer(data, "seq"),
            traceparent=optional_text(data, "traceparent"),
        )

    def never(self) -> "Level":
        """As it reads where nothing has ever been booked."""
        return Level(self.sku, self.location, 0, 0, 0, 0, None, None, self.shard, 0)


class _Numbers(TypedDict):
    sku: str
    location: str
    version: int
    on_hand: int
    reserved: int
    available: int


def _numbers(data: Mapping[str, Any]) -> _Numbers:
    return {
        "sku": text(data, "sku"),
        "location": text(data, "location"),
        "version": integer(data, "version"),
        "on_hand": integer(data, "on_hand"),
        "reserved": integer(data, "reserved"),
        "available": integer(data, "available"),
    }


def fields(value: object, name: str) -> dict[str, Any]:
    """``value``, if it is a JSON object. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed("is no object", name)
    return cast(dict[str, Any], value)


def rows(data: Mapping[str, Any], name: str) -> list[Any]:
    """The list ``name`` of ``data``. Raises Malformed."""
    value = data.get(name)
    if not isinstance(value, list):
        raise Malformed("is no list", name)
    return value  # pyright: ignore[reportUnknownVariableType]  # of anything; the cast that it asks for, mypy calls redundant


def text(data: Mapping[str, Any], field: str) -> str:
    value = data.get(field)
    if type(value) is not str:
        raise Malformed(f"is {value!r}, not text", field)
    return value


def optional_text(data: Mapping[str, Any], field: str) -> str | None:
    return None if data.get(field) is None else text(data, field)


def integer(data: Mapping[str, Any], field: str) -> int:
    value = data.get(field)
    if type(value) is not int:  # not isinstance: True is no quantity
        raise Malformed(f"is {value!r}, not a whole number", field)
    return value


def optional_integer(data: Mapping[str, Any], field: str) -> int | None:
    return None if data.get(field) is None else integer(data, field)


def flag(data: Mapping[str, Any], field: str) -> bool:
    value = data.get(field)
    if not isinstance(value, bool):
        raise Malformed(f"is {value!r}, not true or false", field)
    return value


def moment(data: Mapping[str, Any], field: str) -> datetime:
    """RFC 3339 with an offset."""
    try:
        parsed = datetime.fromisoformat(text(data, field))
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise Malformed(f"is {data.get(field)!r}, not a time with an offset", field)
    return parsed
