"""How often somebody may try to sign in, and fail. Pure: times are handed in."""

from collections import OrderedDict, deque
from typing import Any

WINDOW_S = 60.0
PER_ADDRESS_MAX = 10
"""Keys cannot be guessed (256 bits); this keeps a broken script from asking the ledger all day."""
IN_ALL_MAX = 100
"""From however many addresses: each try is a question to the ledger."""
KNOWN_MAX = 100
"""The share of addresses from which somebody has signed in before: strangers who fail must not lock people out."""
ADDRESSES_MAX = 10_000


class Attempts:
    """Each try counts from when it begins, so that many at once are as many, until it turns out to be a good one."""

    def __init__(self) -> None:
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._of_strangers: deque[float] = deque(maxlen=IN_ALL_MAX)
        self._of_known: deque[float] = deque(maxlen=KNOWN_MAX)

    def wait_s(self, address: str, now: float) -> float:
        """How long this address has to wait; 0: it may try. ``now``: monotonic."""
        shared = self._shared(address)
        waits = [
            times[-most] + WINDOW_S - now
            for times, most in ((self._tried.get(address, ()), PER_ADDRESS_MAX), (shared, shared.maxlen or 0))
            if len(times) >= most
        ]
        return max(0.0, *waits) if waits else 0.0

    def tried(self, address: str, now: float) -> None:
        self._tried.setdefault(address, deque(maxlen=PER_ADDRESS_MAX)).append(now)
        self._shared(address).append(now)
        _keep_newest(self._tried, address)

    def succeeded(self, address: str, tried_s: float) -> None:
        """The try of ``tried_s`` was a good one, and does not count."""
        for times in (self._tried.get(address), self._shared(address)):
            if times and tried_s in times:
                times.remove(tried_s)
        self._known[address] = None
        _keep_newest(self._known, address)

    def _shared(self, address: str) -> deque[float]:
        return self._of_known if address in self._known else self._of_strangers


def _keep_newest(kept: OrderedDict[str, Any], address: str) -> None:
    kept.move_to_end(address)
    if len(kept) > ADDRESSES_MAX:
        kept.popitem(last=False)
