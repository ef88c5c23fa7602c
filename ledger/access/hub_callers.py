"""Which callers were hubs a moment ago, told by their credential without looking it up.

Only good for choosing whose requests and connections give way. What a caller may do, ``Access`` decides each time.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, MutableMapping
from typing import Any

CALLERS_MAX = 1_000
"""Hashes of credentials; the one unused for longest goes first."""


class HubCallers:
    """Those of one ledger, by hashes of what they sent as ``Authorization``."""

    def __init__(self) -> None:
        self._known: OrderedDict[bytes, None] = OrderedDict()

    def remember(self, scope: MutableMapping[str, Any]) -> None:
        """The sender of this request has just shown a key of scope ``hub``."""
        if fingerprint := _fingerprint(scope["headers"]):
            self._known[fingerprint] = None
            self._known.move_to_end(fingerprint)
            if len(self._known) > CALLERS_MAX:
                self._known.popitem(last=False)

    def know(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        return bool(self._known) and _fingerprint(headers) in self._known


def _fingerprint(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    for name, value in headers:
        if name == b"authorization":
            return hashlib.sha256(value).digest()
    return b""
