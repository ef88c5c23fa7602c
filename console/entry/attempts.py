"""How often somebody may try to sign in. Pure: times are handed in."""

from collections import OrderedDict, deque

WINDOW_S = 60.0
PER_ADDRESS_MAX = 10
"""Keys cannot be guessed (256 bits); this keeps a broken script from asking the ledger all day."""
IN_ALL_MAX = 100
"""From however many addresses: each try is a question to the ledger."""
ADDRESSES_MAX = 10_000


class Attempts:
    def __init__(self) -> None:
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque(maxlen=IN_ALL_MAX)

    def wait_s(self, address: str, now: float) -> float:
        """How long this address has to wait; 0: it may try. ``now``: monotonic."""
        own = self._failed.get(address, ())
        waits = [
            times[-most] + WINDOW_S - now
            for times, most in ((own, PER_ADDRESS_MAX), (self._all, IN_ALL_MAX))
            if len(times) >= most
        ]
        return max(0.0, *waits) if waits else 0.0

    def tried(self, address: str, now: float) -> None:
        times = self._failed.setdefault(address, deque(maxlen=PER_ADDRESS_MAX))
        times.append(now)
        self._all.append(now)
        self._failed.move_to_end(address)
        if len(self._failed) > ADDRESSES_MAX:
            self._failed.popitem(last=False)
