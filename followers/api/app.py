"""The application: routes behind bounds on bodies and hosts, every error a problem document."""

import logging
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from followers.answers import Answers, CountedAnswers
from followers.database.database import DatabaseAway
from followers.log.ledger import LedgerAway
from followers.sealing import SealBroken
from server.http.body_limits import BodyLimits
from server.http.health import HealthRoutes
from server.http.hosts import AllowedHosts
from server.http.problems import Problems
from server.http.rate_headers import RateHeaders
from server.problems import Misdirected, Unavailable
from server.rates.rate_limits import RateLimits
from server.settings.environment import SettingsError
from server.version import VERSION

ANSWERED = (
    *("invalid", "unauthorized", "forbidden", "not-found", "misdirected", "too-large", "unsupported-encoding"),
    *("rate-limited", "unavailable"),
)
"""Types of problems."""
AWAY_S = 5
OUTAGES: dict[type[Exception], str] = {
    DatabaseAway: "the database cannot be reached",
    LedgerAway: "the ledger does not answer",
    SealBroken: "no sealing key of this process opens what is sealed",
    SettingsError: "the ledger does not take the key of this process",
}
"""In words that say nothing of this network."""

log = logging.getLogger(__name__)


def create_app(
    routes: Sequence[BaseRoute],
    rate_limits: RateLimits,
    problems: Problems,
    answers: Answers,
    why_not_ready: Callable[[], Awaitable[str | None]],
    bytes_max_of: Callable[[Scope], int],
    allowed_hosts: Sequence[str] = (),
) -> Starlette:
    """``problems``: of ``ANSWERED``. ``bytes_max_of``: what the body of a request may have. ``allowed_hosts``: besides
    this machine's own names."""
    health = HealthRoutes(why_not_ready, {"version": VERSION})
    app = Starlette(
        routes=[*health.routes(), *routes],
        middleware=[
            Middleware(CountedAnswers, answers),
            Middleware(RateHeaders, rate_limits),
            Middleware(BodyLimits, bytes_max_of),
            Middleware(AllowedHosts, allowed_hosts, lambda host: problems.answer_to(Misdirected(host))),
            Middleware(ServerErrorMiddleware, problems.of_defect),
        ],
    )
    app.router.redirect_slashes = False  # a redirect would be built from the Host header: whoever sends it
    problems.install(app)

    async def away(_: Request, error: Exception) -> Response:
        log.debug("a request is not answered reason=%r", str(error))  # those who follow and keep say it, once
        reason = next(reason for outage, reason in OUTAGES.items() if isinstance(error, outage))
        return problems.answer_to(Unavailable(reason, AWAY_S))

    for outage in OUTAGES:
        app.add_exception_handler(outage, away)
    return app
