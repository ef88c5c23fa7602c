"""The open connections of an HTTP port: how many, from where, whose turn it is to go when there are too many. Pure.

A connection that waits for a request costs nobody anything but its place. So when all places are taken, the one that
has waited for longest makes room for a new one: a flood of silent connections meets itself, and whoever has something
to say gets in. Those of hubs to a ledger stay. Only when every connection has a request under way is a new one turned
away.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from server.settings.addresses import Network, customer_of, is_among

REASONS = ("connections", "address", "evicted", "head_size", "head_time", "unreadable")


class Connection(Protocol):
    """``address``: under which it is counted, see ``ConnectionTable.counted``."""

    address: str

    def is_of_hub(self) -> bool: ...

    def make_room(self) -> None:
        """Close. Only asked of a connection without a request under way."""


class ConnectionTable:
    """At most ``connections_max`` connections, ``per_address_max`` of each address (0: no bound).

    ``turned_away``: since start, by reason.
    """

    def __init__(self, connections_max: int, per_address_max: int = 0, proxies: Sequence[Network] = ()) -> None:
        self.turned_away = dict.fromkeys(REASONS, 0)
        self._connections_max = connections_max
        self._per_address_max = per_address_max
        self._proxies = proxies
        self._waiting: OrderedDict[Connection, None] = OrderedDict()
        self._busy: set[Connection] = set()
        self._by_address: Counter[str] = Counter()

    @property
    def open(self) -> int:
        return len(self._waiting) + len(self._busy)

    @property
    def full(self) -> bool:
        return self.open >= self._connections_max

    def admit(self, connection: Connection, room: Callable[[], bool] = lambda: False) -> bool:
        """Whether there is a place for ``connection``; if not, the caller turns it away.

        ``room``: called when all have a request under way: whether one that will soon be free was made.
        """
        if connection.address and self._per_address_max and self._is_full(connection.address):
            self.turned_away["address"] += 1
            return False
        while self.full and self._evict():  # more than one where some were made for others
            pass
        if self.full and not room():
            self.turned_away["connections"] += 1
            return False
        self._waiting[connection] = None
        if self._per_address_max:
            self._by_address[connection.address] += 1
        return True

    def counted(self, peer: str) -> str:
        """The address under which ``peer`` is counted; empty for a named proxy, behind which everybody stands."""
        return "" if is_among(peer, self._proxies) else customer_of(peer)

    def _is_full(self, address: str) -> bool:
        return self._by_address[address] >= self._per_address_max

    def begin(self, connection: Connection) -> None:
        """``connection`` has a request under way from now on."""
        if self._waiting.pop(connection, self) is None:
            self._busy.add(connection)

    def end(self, connection: Connection) -> None:
        """``connection`` has answered its request and waits for the next one."""
        if connection in self._busy:
            self._busy.remove(connection)
            self._waiting[connection] = None

    def remove(self, connection: Connection) -> None:
        """``connection`` is closed. Safe twice, and for a connection that was turned away."""
        known = self._waiting.pop(connection, self) is None or connection in self._busy
        self._busy.discard(connection)
        if known and self._per_address_max:
            self._by_address[connection.address] -= 1
            if not self._by_address[connection.address]:
                del self._by_address[connection.address]

    def _evict(self) -> bool:
        """Closes the connection that has waited longest and is no hub's. False: there is none."""
        for _ in range(len(self._waiting)):
            connection = next(iter(self._waiting))
            if connection.is_of_hub():
                self._waiting.move_to_end(connection)
                continue
            self.remove(connection)
            self.turned_away["evicted"] += 1
            connection.make_room()
            return True
        return False
