"""JSON in which an object has a name twice: readers disagree about which one counts (RFC 8259, 4)."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

_CONTAINERS = frozenset((dict, list))
FEW_OBJECTS = 5
"""More of them have the same names, mostly."""
_NAME_ENDS = re.compile(rb'"[ \t\r\n]*:')
"""After a name; and where a text begins with a colon."""
_SPACED = (b'" ', b'"\t', b'"\r', b'"\n')
"""Only where one of them stands, a colon may stand apart from its name."""


class _Repeated(Exception):
    pass


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written."""


def repeated_name(body: bytes, names: int | None = None) -> str | None:
    """The path of the first name that an object of ``body`` has twice, such as ``lines[3].sku``. None: there is none.

    ``body`` is JSON. Names count as they read, however they are escaped. ``names``: how many all objects of it have at
    least, where somebody has read them: if no more stand there, nothing has to be looked at. Raises RecursionError.
    """
    if b"\\" not in body and ((names is not None and names == _written(body)) or _all_differ(body)):
        return None
    text = body.decode(errors="surrogateescape")
    try:
        _checked.decode(text)
    except _Repeated:
        return next(_repeated(_paired.decode(text), ""))
    return None


def _all_differ(body: bytes) -> bool:
    """Whether it is sure that they do: two quick looks at bodies in which every quote begins or ends a text."""
    if body.count(b"{") <= FEW_OBJECTS:
        texts = body.split(b'"')[1::2]
        if len(set(texts)) == len(texts):  # nine of them in ten: no text stands there twice, be it a name or a value
            return True
    try:
        kept = _kept(msgspec.json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return kept == _written(body)  # of two that are the same the decoder keeps one


def _written(body: bytes) -> int:
    """How many names stand in it, at most; it has no backslash."""
    spaces = b" " in body or b"\t" in body or b"\r" in body or b"\n" in body  # most bodies have none: seen at once
    if spaces and any(space in body for space in _SPACED):
        return len(_NAME_ENDS.findall(body))
    return body.count(b'":')


def _kept(value: Any) -> int:
    """How many names all objects in ``value`` have."""
    names = 0
    containers: list[Any] = [[value]]
    for container in containers:  # grows meanwhile
        inner = container
        if type(container) is dict:
            names += len(container)
            inner = container.values()
        containers += [one for one in inner if type(one) in _CONTAINERS]
    return names


def _check(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise _Repeated


def _repeated(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: set[str] = set()
        for name, inner in value:
            place = f"{path}.{name}" if path else name
            if name in seen:
                yield place
            seen.add(name)
            yield from _repeated(inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _repeated(inner, f"{path}[{number}]")


# Numbers are not read: a very long one would be an error of its own.
_checked = json.JSONDecoder(object_pairs_hook=_check, parse_int=len, parse_float=len, strict=False)
_paired = json.JSONDecoder(object_pairs_hook=_Pairs, parse_int=len, parse_float=len, strict=False)
