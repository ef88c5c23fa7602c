"""Scopes: what a key or token may do.

``stock:read:<location>``, ``stock:write:<location>``, ``stock:public:<location>`` (``*`` for every location), ``feed``,
``hub``, ``admin``. Who may read a location may also see what the public sees of it.
"""

import re
from collections.abc import Iterable

from wire.names import NAME_PATTERN

READ, WRITE, PUBLIC = "stock:read:", "stock:write:", "stock:public:"
_WHOLE = ("feed", "hub", "admin")
_STOCK = re.compile(r"stock:(?:read|write|public):")
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
    return any(_covers(scope, needed) for scope in scopes) or (
        needed.startswith(PUBLIC) and allows(scopes, READ + needed.removeprefix(PUBLIC))
    )


def _covers(scope: str, needed: str) -> bool:
    return scope == needed or (scope.endswith(":*") and needed.startswith(scope[:-1]))
