"""Requests under way: bounded, so that what is over the bound is refused at once and what is under way stays quick.

Hubs have room of their own: connected screens stay fresh while new work is turned away.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.access.hub_callers import HubCallers
from server.http.problems import Problems
from server.problems import Overloaded
from server.rates.rate_limits import RateLimits

LANE = "stockwire.lane"
"""In the ASGI scope of a request: the lane that it is counted in."""
HUBS_IN_FLIGHT_MAX = 100
"""Requests of hubs beyond the bound for all. A hub has a few at a time: levels, keys, a part of each shard's log."""
HEALTH_IN_FLIGHT_MAX = 16
HEALTH = frozenset(("/healthz", "/readyz"))
"""A balancer that no longer hears from a busy ledger would send its work to the next one."""


class Lane:
    """A part of the requests under way, with a bound of its own. ``open``: how many it has now."""

    __slots__ = ("bound", "open")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.open = 0


class InFlight:
    """Counts the requests under way. ``shed``: refused since start."""

    def __init__(self, requests_max: int, hub_callers: HubCallers) -> None:
        self.shed = 0
        self._everybody = Lane(requests_max)
        self._hubs = Lane(HUBS_IN_FLIGHT_MAX)
        self._health = Lane(HEALTH_IN_FLIGHT_MAX)
        self._hub_callers = hub_callers

    @property
    def open(self) -> int:
        return self._everybody.open + self._hubs.open + self._health.open

    @property
    def requests_max(self) -> int:
        return self._everybody.bound

    def open_lane(self) -> Lane | None:
        """That of everybody, while it has room."""
        return self._everybody if self._everybody.open < self._everybody.bound else None

    def lane(self, scope: Scope) -> Lane | None:
        """The lane that has room for this request. None: the request is shed."""
        if scope["path"] in HEALTH:
            lane = self._health
        else:
            lane = self._everybody
            if lane.open >= lane.bound and self._hub_callers.know(scope["headers"]):
                lane = self._hubs
        if lane.open < lane.bound:
            return lane
        self.shed += 1
        return None


class Admission:
    """Pure ASGI middleware: 503 ``overloaded`` above the bound, and the owner's rate limit as headers where it ran."""

    def __init__(self, app: ASGIApp, in_flight: InFlight, rate_limits: RateLimits, problems: Problems) -> None:
        self._app = app
        self._in_flight = in_flight
        self._rate_limits = rate_limits
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        lane = self._in_flight.lane(scope)
        if lane is None:
            most = self._in_flight.requests_max
            answer = self._problems.answer_to(Overloaded(f"{most} requests are under way", requests_max=most))
            await answer(scope, receive, send)
            return

        scope[LANE] = lane
        lane.open += 1
        try:
            await self._app(scope, receive, self._rate_limits.telling(scope, send))
        finally:
            lane.open -= 1


@contextmanager
def out_of_lane(scope: Scope) -> Iterator[None]:
    """While a request only waits for something to happen, it is not under way."""
    lane: Lane = scope[LANE]
    lane.open -= 1
    try:
        yield
    finally:
        lane.open += 1
