"""The ordinary movement: answered where the connection has parsed it, without a task, routes or a second write.

Most requests of a ledger at work are alike: one movement, with an API key that was looked up a moment ago, at a known
location. Such a one is taken here if everything about it is ordinary; whatever is not goes to the app, untouched. Both
ways read, decide, limit and answer with the same functions, and ``tests/ledger/http/test_ordinary.py`` holds what they
answer equal, byte for byte. See docs/decisions/0020-ordinary-movements.md.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from ledger.access.access import HUB, Access, write_scope
from ledger.commit.operation import Operation, Outcome
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.http import bodies
from ledger.http.admission import InFlight, Lane
from ledger.http.idempotency import HEADER, operation_of, parse_key
from ledger.http.responses import committed
from ledger.http.routes.movements import line_of
from server.http.problems import Problems
from server.problems import Problem
from server.rates.rate_limits import ALLOWANCE, RateLimits
from wire.hosts import is_allowed_host
from wire.scopes import allows
from wire.tokens import Principal

log = logging.getLogger(__name__)

ORDINARY = "/v1/movements", "POST"
"""Path and method: what every other request is told by at once."""
_WANTED = (b"host", b"authorization", HEADER.lower().encode())
_EXTRAORDINARY = frozenset((b"content-encoding", b"expect", b"origin", b"transfer-encoding", b"upgrade"))
"""Headers that something before the route looks at."""


class OrdinaryMovements:
    """``take`` what is ordinary; whoever calls it hands everything else to the app."""

    def __init__(
        self,
        *,
        access: Access,
        locations: Locations,
        writers: Writers,
        rate_limits: RateLimits,
        in_flight: InFlight,
        problems: Problems,
        allowed_hosts: Sequence[str],
        allowed_origins: Sequence[str],
        body_bytes_max: int,
    ) -> None:
        self._access = access
        self._locations = locations
        self._writers = writers
        self._rate_limits = rate_limits
        self._in_flight = in_flight
        self._problems = problems
        self._allowed_hosts = allowed_hosts
        self._body_bytes_max = body_bytes_max
        # Where pages of some origins may ask, every answer says that it depends on that, as CORSMiddleware does.
        self._vary = [(b"vary", b"Origin")] if allowed_origins else []

    def take(self, cycle: RequestResponseCycle) -> bool:
        """Whether the request, whose body is complete, is answered here. If not, nothing has happened."""
        asked = self._read(cycle)
        lane = self._in_flight.open_lane()
        if asked is None or lane is None:
            return False
        lane.open += 1
        principal, operation = asked
        scope: Any = cycle.scope
        try:
            self._rate_limits.admit(scope, principal.owner)
            outcome = self._writers.enqueue(operation)
        except Problem as problem:
            self._answer(cycle, lane, self._problems.answer_to(problem))
        else:
            outcome.add_done_callback(lambda done: self._answer(cycle, lane, self._response(done)))
        return True

    def _read(self, cycle: RequestResponseCycle) -> tuple[Principal, Operation] | None:
        """Who asks, and for what; None if anything about it is out of the ordinary. Changes nothing."""
        scope = cycle.scope
        named = _ordinary_headers(scope["headers"])
        if named is None or scope["http_version"] != "1.1" or scope["query_string"]:
            return None
        host, authorization, quoted_key = named
        if not is_allowed_host([host], self._allowed_hosts):
            return None
        if len(cycle.body) > self._body_bytes_max or cycle.flow.write_paused:
            return None
        key = parse_key(quoted_key)
        movement = bodies.one_movement(bytes(cycle.body))
        principal = self._access.known_holder(authorization)
        if key is None or movement is None or principal is None or HUB in principal.scopes:
            return None
        shard = self._locations.known_shard(movement.location)
        if shard is None or not allows(principal.scopes, write_scope(movement.location)):
            return None
        line = line_of(movement, {movement.location: shard})
        return principal, operation_of(principal.owner, key, "movements", (line,))

    def _response(self, done: "asyncio.Future[Outcome]") -> Response:
        try:
            return committed(done.result(), 201)
        except Problem as problem:
            return self._problems.answer_to(problem)
        except Exception:  # nobody behind this would answer, or give the lane back
            log.exception("an ordinary movement could not be answered")
            return self._problems.defect()

    def _answer(self, cycle: RequestResponseCycle, lane: Lane, response: Response) -> None:
        lane.open -= 1
        scope: Any = cycle.scope
        allowance = scope.get(ALLOWANCE)
        told = [] if allowance is None else self._rate_limits.headers(allowance)
        _write_whole(cycle, response, [*response.raw_headers, *told, *self._vary])


def _ordinary_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[str, str, str] | None:
    """Host, Authorization and Idempotency-Key, each given once; None if one is not, or another header says more."""
    wanted: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _WANTED:
            if name in wanted:
                return None
            wanted[name] = value
        elif name in _EXTRAORDINARY:
            return None
    if len(wanted) < len(_WANTED):
        return None
    host, authorization, key = (wanted[name].decode("latin-1") for name in _WANTED)
    return host, authorization, key


def _write_whole(cycle: RequestResponseCycle, response: Response, headers: list[tuple[bytes, bytes]]) -> None:
    """What ``cycle.send`` would write, at once; then the connection goes on to its next request."""
    if cycle.disconnected:
        return
    lines = [b"%b: %b\r\n" % pair for pair in (*cycle.default_headers, *headers)]
    if not cycle.keep_alive:
        lines.append(b"connection: close\r\n")
    cycle.transport.write(b"".join((STATUS_LINE[response.status_code], *lines, b"\r\n", response.body)))
    cycle.response_started = cycle.response_complete = True
    if not cycle.keep_alive:
        cycle.transport.close()
    on_response, cycle.on_response = cycle.on_response, _nothing  # no circle of connection and request stays
    on_response()


def _nothing() -> None:
    """There is no next request to go on to."""
