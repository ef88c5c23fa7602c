"""Whether a client is let in, by four limits: on handshakes a second, on the connections of one owner and of one
address, and on connections that have not shown a key yet. Pure.

One for the stream and the read port of a hub, so that nobody gets twice as much by asking in two ways.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from hub.entry.visitors import Visit, Visitors
from hub.errors import Crowded
from hub.limits import Limits, Rate, Tally
from server.settings.addresses import Network, client_address, customer_of

REASONS = ("rate", "owner", "address", "unauthenticated", "connections")
SECONDS_PER_MINUTE = 60
LEFT_SHARE = 5
"""Of the handshakes that may begin at once, this part (a fifth) is left to those who come with a key: while pages flood
the door, a till that comes back is let in first."""


@dataclass(slots=True, eq=False)
class Caller:
    """The places that one connection, event stream or read holds. ``visit``: that of a visitor."""

    owner: str | None = None
    address: str | None = None
    visit: Visit | None = None


class Door:
    """``refused``: by reason, for the metrics. ``proxies``: those whose ``X-Forwarded-For`` is believed.

    ``visitors``: who comes without a key; there are none unless they are given.
    """

    def __init__(
        self, limits: Limits, now: float, proxies: Sequence[Network] = (), visitors: Visitors | None = None
    ) -> None:
        self.visitors = visitors or Visitors(None, limits)
        self.refused = dict.fromkeys(REASONS, 0)
        self._limits = limits
        self._proxies = proxies
        self._handshakes = Rate(limits.handshakes_per_s * SECONDS_PER_MINUTE, limits.handshakes_burst, now)
        self._left_to_keys = limits.handshakes_burst // LEFT_SHARE
        self._owners = Tally(limits.connections_per_owner_max)
        self._addresses = Tally(limits.connections_per_address_max)
        self._unknown: dict[Caller, Callable[[], None]] = {}

    @property
    def unauthenticated(self) -> int:
        return len(self._unknown)

    @property
    def per_address_max(self) -> int:
        return self._addresses.most

    def knock(self, now: float, *, keyed: bool) -> bool:
        """Whether one more handshake may begin. ``keyed``: it is known to come with a key or token. One that may not is
        counted by ``over_rate`` alone, since more may be known of it a moment later.
        """
        return self._handshakes.take(now, leave=0 if keyed else self._left_to_keys)

    def await_key(self, caller: Caller, give_way: Callable[[], None]) -> None:
        """It has shown no key yet. Of too many the one that has waited longest must ``give_way``.

        The newcomer does not: an attacker who holds all places and says nothing would keep everybody else out. An
        honest client needs its place for one round trip, and at the allowed rate of handshakes it takes longer than
        that until enough newcomers have come to push it out.
        """
        self._unknown[caller] = give_way
        if len(self._unknown) > self._limits.unauthenticated_max:
            longest = next(iter(self._unknown))
            self._refuse("unauthenticated")
            self._unknown.pop(longest)()

    def known(self, caller: Caller, owner: str) -> None:
        """It has authenticated, perhaps again as somebody else. Raises Crowded, and then it holds what it held."""
        self._unknown.pop(caller, None)
        if caller.owner == owner:
            return
        if not self._owners.take(owner):
            self._refuse("owner")
            raise Crowded("owner", self._owners.most)
        self._end_visit(caller)
        if caller.owner is not None:
            self._owners.give_back(caller.owner)
        caller.owner = owner

    def visits(self, caller: Caller, visit: Visit) -> None:
        """It has no key, and was let in all the same."""
        self._unknown.pop(caller, None)
        caller.visit = visit

    def located(self, caller: Caller, peer: str, forwarded_for: Sequence[str]) -> bool:
        """Whether its address has a place for it. Call it once."""
        if not self._addresses.most:
            return True
        address = self.address_of(peer, forwarded_for)
        if not self._addresses.take(address):
            return self._refuse("address")
        caller.address = address
        return True

    def address_of(self, peer: str, forwarded_for: Sequence[str]) -> str:
        """Whose it is: one name for all addresses of one client."""
        return customer_of(client_address(peer, forwarded_for, self._proxies))

    def leave(self, caller: Caller) -> None:
        """It is gone, with its places. Safe to call twice."""
        self._unknown.pop(caller, None)
        self._end_visit(caller)
        if caller.owner is not None:
            self._owners.give_back(caller.owner)
        if caller.address is not None:
            self._addresses.give_back(caller.address)
        caller.owner = caller.address = None

    @contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """A read may wait for the ledger for seconds: meanwhile it counts as a connection. Raises Crowded."""
        caller = Caller()
        self.known(caller, owner)
        try:
            yield
        finally:
            self.leave(caller)

    def over_rate(self) -> None:
        """A connection was refused because the hub takes no more handshakes now."""
        self._refuse("rate")

    def full(self) -> None:
        """A connection was refused because the hub has as many as it may."""
        self._refuse("connections")

    def _end_visit(self, caller: Caller) -> None:
        if caller.visit is not None:
            self.visitors.leave(caller.visit)
            caller.visit = None

    def _refuse(self, reason: str) -> bool:
        self.refused[reason] += 1
        return False
