"""Scopes: what a key or token may do.

``stock:read:<location>``, ``stock:write:<location>`` (``*`` for every location), ``feed``, ``hub``, ``admin``.
"""

import re
from collections.abc import Iterable

from wire.messages import NAME_PATTERN

_WHOLE = ("feed", "hub", "admin")
_STOCK = re.compile(r"stock:(?:read|write):")
_LOCATION = re.compile(NAME_PATTERN)


def is_scope(text: str) -> bool:
    """What names a location names one that can exist: a control character would reach the database."""
    stock = _STOCK.match(text)
    if stock is None:
        return text in _WHOLE
    location = text[stock.end() :]
    return location == "*" or _LOCATION.match(location) is not None


def allows(scopes: Iterable[str], needed: str) -> bool:
    """Whether one of ``scopes`` covers ``needed``: one for ``*`` covers every location, only itself covers ``*``."""
    return any(scope == needed or _covers(scope, needed) for scope in scopes)


def _covers(scope: str, needed: str) -> bool:
    return scope.endswith(":*") and needed.startswith(scope[:-1])
