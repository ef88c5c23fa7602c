"""The ordinary request: answered where the connection has parsed it, without a task, routes or a second write.

Most requests of a ledger at work are alike: one movement, or a basket that is held or paid for, with an API key that
was looked up a moment ago, at known locations. Such a one is taken here if everything about it is ordinary; whatever is
not goes to the app, untouched. Both ways read, decide, limit and answer with the same functions, and
``tests/ledger/http/test_ordinary.py`` holds what they answer equal, byte for byte. See
docs/decisions/0020-ordinary-movements.md.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from ledger.access.access import HUB, Access
from ledger.commit.operation import Outcome
from ledger.commit.writers import Writers
from ledger.http.admission import InFlight, Lane
from ledger.http.idempotency import HEADER, parse_key
from ledger.http.ordinary_operations import Asked, OrdinaryOperations
from ledger.http.request_spans import RequestSpans
from ledger.http.responses import committed, content_of
from server.http.cycle import Cycle
from server.http.problems import Problems
from server.http.request_times import RequestTimes
from server.http.route_templates import RouteTemplates
from server.problems import Problem
from server.rates.rate_limits import ALLOWANCE, RateLimits
from server.tracing.span import Span
from server.tracing.tracing import exemplar_of, within
from wire.hosts import is_allowed_host
from wire.tokens import Principal

log = logging.getLogger(__name__)

_KEY = HEADER.lower().encode()
_WANTED = (b"host", b"authorization", _KEY)
_EXTRAORDINARY = frozenset((b"content-encoding", b"expect", b"origin", b"transfer-encoding", b"upgrade"))
"""Headers that something before the route looks at."""

LENGTH_DIGITS_MAX = 4
"""Of the length of a body: a movement has some hundred bytes."""

Parts = tuple[int, bytes, bytes]
"""Of an answer: its status, lines of its own in the head, and its body."""


class OrdinaryRequests:
    """``take`` what is ordinary; whoever calls it hands everything else to the app."""

    def __init__(
        self,
        *,
        access: Access,
        operations: OrdinaryOperations,
        writers: Writers,
        rate_limits: RateLimits,
        in_flight: InFlight,
        problems: Problems,
        times: RequestTimes,
        templates: RouteTemplates,
        allowed_hosts: Sequence[str],
        allowed_origins: Sequence[str],
        body_bytes_max: int,
        spans: RequestSpans | None = None,
    ) -> None:
        """``spans``: where requests are traced."""
        self._access = access
        self._operations = operations
        self._writers = writers
        self._rate_limits = rate_limits
        self._in_flight = in_flight
        self._problems = problems
        self._times = times
        self._templates = templates
        self._allowed_hosts = allowed_hosts
        self._body_bytes_max = body_bytes_max
        self._spans = spans
        # Where pages of some origins may ask, every answer says that it depends on that, as CORSMiddleware does.
        self._vary = b"vary: Origin\r\n" if allowed_origins else b""
        self._default_headers: list[tuple[bytes, bytes]] = []
        self._default_head = b""

    def take(self, cycle: Cycle) -> bool:
        """Whether the request, whose body is complete, is answered here. If not, nothing has happened."""
        began = time.monotonic()
        asked = self._read(cycle)
        lane = self._in_flight.open_lane()
        if asked is None or lane is None:
            return False
        lane.open += 1
        principal, (operation, status) = asked
        told: dict[str, Any] = {}
        span = None if self._spans is None else self._spans.begin(cycle.headers, cycle.named)
        try:
            self._rate_limits.admit(told, principal.owner)
            outcome = self._writers.enqueue(operation, span)
        except Exception as error:  # noqa: BLE001  logged where it is answered
            self._answer(cycle, began, lane, told, span, *self._failed(error, span))
        else:
            outcome.add_done_callback(
                lambda done: self._answer(cycle, began, lane, told, span, *self._parts_of(done, status, span))
            )
        return True

    def _read(self, cycle: Cycle) -> tuple[Principal, Asked] | None:
        """Who asks, and for what; None if anything about it is out of the ordinary. Changes nothing."""
        named = _ordinary_headers(cycle)
        if named is None or cycle.http_version != "1.1" or cycle.target.query:
            return None
        host, authorization, quoted_key = named
        if self._allowed_hosts and not is_allowed_host([host.decode("latin-1")], self._allowed_hosts):
            return None
        if len(cycle.body) > self._body_bytes_max or cycle.flow.write_paused:
            return None
        key = parse_key(quoted_key.decode("latin-1"))
        principal = self._access.known_holder(authorization)
        if key is None or principal is None or HUB in principal.scopes:
            return None
        asked = self._operations.read(cycle.target.raw_path, bytes(cycle.body), principal, key)
        return None if asked is None else (principal, asked)

    def _parts_of(self, done: "asyncio.Future[Outcome]", status: int, span: Span | None) -> Parts:
        try:
            outcome = done.result()
            if outcome.replayed:
                return _parts(committed(outcome, status))
            body = orjson.dumps(content_of(outcome))
            return status, b"content-length: %d\r\ncontent-type: application/json\r\n" % len(body), body
        except Exception as error:  # noqa: BLE001  logged where it is answered
            return self._failed(error, span)

    def _failed(self, error: Exception, span: Span | None) -> Parts:
        """Of a fault of ours too: nobody behind this would answer, or give the lane back."""
        if isinstance(error, Problem):
            return _parts(self._problems.answer_to(error))
        with within(span):
            log.error("an ordinary request could not be answered", exc_info=error)
        return _parts(self._problems.defect())

    def _answer(
        self,
        cycle: Cycle,
        began: float,
        lane: Lane,
        told: dict[str, Any],
        span: Span | None,
        status: int,
        head: bytes,
        body: bytes,
    ) -> None:
        """What ``cycle.send`` would write, at once; then the connection goes on to its next request."""
        lane.open -= 1
        route = self._templates.of("POST", cycle.target.path)
        exemplar = None if span is None else exemplar_of(span.trace)
        self._times.took(route, status, time.monotonic() - began, exemplar)
        if not cycle.disconnected:
            self._write(cycle, told, status, head, body)
        if self._spans is not None and span is not None:
            self._spans.end(span, "POST", cycle.target.path, cycle.http_version, status)

    def _write(self, cycle: Cycle, told: dict[str, Any], status: int, head: bytes, body: bytes) -> None:
        allowance = told.get(ALLOWANCE)
        limits = b"" if allowance is None else _lines(self._rate_limits.headers(allowance))
        close = b"" if cycle.keep_alive else b"connection: close\r\n"
        first = self._default_lines(cycle.default_headers)
        cycle.transport.write(b"".join((STATUS_LINE[status], first, head, limits, self._vary, close, b"\r\n", body)))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            cycle.transport.close()
        on_response, cycle.on_response = cycle.on_response, _nothing  # no circle of connection and request stays
        on_response()

    def _default_lines(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """Those of every answer, of which there are new ones each second."""
        if headers is not self._default_headers:
            self._default_headers, self._default_head = headers, _lines(headers)
        return self._default_head


def may_come_apart(cycle: Cycle) -> bool:
    """Whether a body that has not come yet is worth waiting for: nobody asks first, and it has an ordinary length."""
    length = cycle.named.get(b"content-length", b"")
    return _EXTRAORDINARY.isdisjoint(cycle.named) and len(length) <= LENGTH_DIGITS_MAX


def _ordinary_headers(cycle: Cycle) -> tuple[bytes, bytes, bytes] | None:
    """Host, Authorization and Idempotency-Key, each given once; None if one is not, or another header says more."""
    named = cycle.named
    if not _EXTRAORDINARY.isdisjoint(named):
        return None
    if len(named) < len(cycle.headers) and sum(name in _WANTED for name, _ in cycle.headers) > len(_WANTED):
        return None
    try:
        return named[b"host"], named[b"authorization"], named[_KEY]
    except KeyError:
        return None


def _parts(response: Response) -> Parts:
    return response.status_code, _lines(response.raw_headers), bytes(response.body)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join([b"%b: %b\r\n" % pair for pair in headers])


def _nothing() -> None:
    """There is no next request to go on to."""
