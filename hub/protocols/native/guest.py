"""What a visitor may subscribe to beside what its scopes allow: so much, and with all other visitors so much. Pure.

A name costs the hub little if its level is here anyway. One that nobody knows, and a threshold, cost it a level each:
whoever makes them up must not fill what everybody else watches too.
"""

from hub.entry.visitors import NEW_LEVEL, Visit, Visitors
from hub.errors import Refused
from hub.fanout.fanout import Fanout
from hub.fanout.session import Session
from wire.messages import Subscribe


class Guest:
    """The visitor of one connection."""

    def __init__(self, visitors: Visitors, visit: Visit, fanout: Fanout, session: Session) -> None:
        self.limits = visitors.limits
        self._visitors = visitors
        self._visit = visit
        self._fanout = fanout
        self._session = session
        self._levels: dict[int, int] = {}

    def claim(self, request: Subscribe) -> None:
        """Before it subscribes. Raises Refused."""
        if request.skus is None and request.when is not None and not self._fanout.levels.complete(request.location):
            raise Refused("limit", f"skus: {request.location} is being read: ask again later, or name those wanted")
        there = self._fanout.levels.locations.get(request.location, {})
        most = self.limits.levels_per_connection_max
        if request.skus is None and len(there) > most:
            raise Refused("limit", f"skus: {request.location} has more than {most}, name those wanted", field="skus")
        names = there.keys() if request.skus is None else set(request.skus)
        new = len(names) if request.when is not None else len(names - there.keys())
        levels = len(names) + (NEW_LEVEL - 1) * new
        self.settle()
        if not self._visitors.claim(self._visit, levels):
            raise Refused("limit", "visitors watch as much as they may now: ask again later, or for less")
        self._levels[request.id] = levels

    def settle(self) -> None:
        """What it does not watch any more, for whatever reason, does not count."""
        for id_ in self._levels.keys() - self._session.subscriptions.keys():
            self._visitors.give_back(self._visit, self._levels.pop(id_))
