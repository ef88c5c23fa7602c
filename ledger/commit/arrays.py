"""Columns of a batch as the text that PostgreSQL reads an array from: a part of what the driver's own arrays cost.

asyncpg asks of each element whether it is an array itself, and encodes one after the other; a text is joined at once.
Within its quotes an element is taken as it stands but for two characters, which are escaped: none can end early. Pure.
"""

from collections.abc import Sequence
from typing import Any

import orjson

_NUMBERS = frozenset(("int", "bigint"))
_QUOTED = frozenset(("text", "uuid", "timestamptz"))
"""Other types are left to the driver: they are documents, and each quote in them would be one to escape."""


def array_of(number: int, kind: str) -> str:
    """In SQL: the array of ``kind`` that is handed over as the parameter with this number."""
    return f"${number}::text::{kind}[]" if kind in _NUMBERS or kind in _QUOTED else f"${number}::{kind}[]"


def scalar_of(number: int, kind: str) -> str:
    """In SQL: one value, as ``column`` takes several."""
    return f"${number}::text::{kind}" if kind == "timestamptz" else f"${number}::{kind}"


def column(values: Sequence[Any], kind: str) -> Any:
    """What ``array_of`` takes: ``values``, each of which may be None but for numbers. Ids and times are texts.

    A column of nothing but None is an empty array, which `unnest` fills up beside the others.
    """
    if kind in _NUMBERS:
        return f"{{{orjson.dumps(values)[1:-1].decode()}}}"
    if kind not in _QUOTED:
        return values
    given = values.count(None)
    if given == len(values):
        return "{}"
    joined = "".join(values) if given == 0 else None
    if joined is not None and '"' not in joined and "\\" not in joined:
        return '{"' + '","'.join(values) + '"}'
    return "{" + ",".join(map(_element, values)) + "}"


def _element(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
