"""Scopes: what a key or token may do.

``stock:read:<location>``, ``stock:write:<location>`` (``*`` for every location), ``feed``, ``hub``, ``admin``.
"""

import re
from collections.abc import Iterable

_SCOPE = re.compile(r"(?:stock:(?:read|write):(?:\*|[^\s/*]{1,64})|feed|hub|admin)\Z")


def is_scope(text: str) -> bool:
    return _SCOPE.match(text) is not None


def allows(scopes: Iterable[str], needed: str) -> bool:
    """Whether one of ``scopes`` covers ``needed``: one for ``*`` covers every location, only itself covers ``*``."""
    return any(scope == needed or _covers(scope, needed) for scope in scopes)


def _covers(scope: str, needed: str) -> bool:
    return scope.endswith(":*") and needed.startswith(scope[:-1])
