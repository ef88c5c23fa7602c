"""The parts of a ledger that live as long as its process. ``ledger.process`` makes them and says when they start."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from ledger.access.hub_callers import HubCallers
from ledger.feed.heads import Heads
from ledger.feed.long_polls import LongPolls
from ledger.feed.publisher import Publisher
from ledger.http.admission import InFlight
from ledger.settings import Settings
from server.http.connection_table import ConnectionTable
from server.http.problems import Problems
from server.http.request_times import RequestTimes
from server.rates.rate_limits import RateLimits
from server.tls.handshakes import Handshakes
from server.tokens.verifier import Verifier
from server.tracing.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Parts:
    """``url``: where clients find this ledger. ``why_not_ready``: None when it takes requests, else the reason.

    ``versions``: what it calls itself. ``read_engine``: for everything but commits and heads. ``handshakes``: of the
    API's port. ``tracing``: None where nothing is traced.
    """

    settings: Settings
    url: str
    versions: Mapping[str, str]
    why_not_ready: Callable[[], Awaitable[str | None]]
    read_engine: AsyncEngine
    publisher: Publisher
    heads: Heads
    verifier: Verifier
    problems: Problems
    request_times: RequestTimes
    long_polls: LongPolls
    rate_limits: RateLimits
    hub_callers: HubCallers
    in_flight: InFlight
    connections: ConnectionTable
    handshakes: Handshakes
    admin_handshakes: Handshakes
    tracing: Tracing | None = None
