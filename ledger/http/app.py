"""The HTTP surface of a ledger: everything it needs is handed in."""

from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.errors import ServerErrorMiddleware

from ledger.access.access import Access
from ledger.commit.writers import Writers
from ledger.database.locations import Locations
from ledger.holds.reads import HoldReads
from ledger.holds.transfer_reads import TransferReads
from ledger.http.admission import Admission
from ledger.http.body import body_bytes_max
from ledger.http.ordinary import OrdinaryRequests
from ledger.http.ordinary_operations import OrdinaryOperations
from ledger.http.parts import Parts
from ledger.http.request_spans import RequestSpans, TracedRequests
from ledger.http.routes.counts import CountRoutes
from ledger.http.routes.discovery import DiscoveryRoutes
from ledger.http.routes.documents import DocumentRoutes
from ledger.http.routes.events import EventRoutes
from ledger.http.routes.history import HistoryRoutes
from ledger.http.routes.items import ItemRoutes
from ledger.http.routes.key_set import KeySetRoutes
from ledger.http.routes.keys import KeyRoutes
from ledger.http.routes.levels import LevelRoutes
from ledger.http.routes.locations import LocationRoutes
from ledger.http.routes.movements import MovementRoutes
from ledger.http.routes.operations import OperationRoutes
from ledger.http.routes.reservation_reads import ReservationReadRoutes
from ledger.http.routes.reservations import ReservationRoutes
from ledger.http.routes.tokens import TokenRoutes
from ledger.http.routes.transfer_reads import TransferReadRoutes
from ledger.http.routes.transfers import TransferRoutes
from server.http.body_limits import BodyLimits
from server.http.health import HealthRoutes
from server.http.hosts import AllowedHosts
from server.http.request_times import Timed
from server.http.route_templates import RouteTemplates
from server.problems import Misdirected

CORS_METHODS = ("GET", "POST", "PUT", "DELETE")
CORS_REQUEST_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "traceparent")
CORS_ANSWER_HEADERS = (
    "ETag",
    "Idempotency-Replayed",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
)


def create_app(parts: Parts, writers: Writers) -> tuple[Starlette, OrdinaryRequests]:
    """The app, and what answers ordinary movements in its stead.

    ``writers``: with connections of their own, while ``parts.read_engine`` serves the reads.
    """
    settings, engine, problems = parts.settings, parts.read_engine, parts.problems
    access = Access(engine, parts.verifier, parts.rate_limits, parts.hub_callers)
    locations = Locations(engine, lambda: parts.heads.epoch)
    hold_reads, transfer_reads = HoldReads(engine), TransferReads(engine)
    nouns = (
        MovementRoutes(access, locations, writers, settings.lines_max),  # first: the router tries them in order
        OperationRoutes(engine, access, locations, writers, settings.lines_max),
        LevelRoutes(engine, access, locations, parts.heads),
        CountRoutes(access, locations, writers),
        ReservationRoutes(access, locations, writers, hold_reads, settings.lines_max, settings.hold_limits.ttl_s),
        ReservationReadRoutes(access, hold_reads),
        TransferRoutes(access, locations, writers, transfer_reads, settings.lines_max),
        TransferReadRoutes(access, transfer_reads),
        EventRoutes(engine, access, parts.heads, parts.long_polls),
        HistoryRoutes(engine, access, locations),
        ItemRoutes(engine, access, parts.heads),
        LocationRoutes(engine, access),
        DiscoveryRoutes(parts.url, settings.hubs, settings.channels_url),
        KeyRoutes(engine, access, parts.publisher),
        TokenRoutes(access, settings.tokens.ours, settings.signer),
        KeySetRoutes(settings.signing_keys),
        HealthRoutes(parts.why_not_ready, parts.versions),
        DocumentRoutes(),
    )
    routes = [route for noun in nouns for route in noun.routes()]
    templates = RouteTemplates(routes)
    spans = _spans(parts, templates)
    app = Starlette(routes=routes, middleware=_middleware(parts, templates, spans))
    # A redirect would be built from the Host header, which anybody may set.
    app.router.redirect_slashes = False
    problems.install(app)
    ordinary = OrdinaryRequests(
        access=access,
        operations=OrdinaryOperations(locations, writers, settings.lines_max, settings.hold_limits.ttl_s),
        writers=writers,
        rate_limits=parts.rate_limits,
        in_flight=parts.in_flight,
        problems=problems,
        times=parts.request_times,
        templates=templates,
        allowed_hosts=settings.allowed_hosts,
        allowed_origins=settings.allowed_origins,
        body_bytes_max=settings.body_bytes_max,
        spans=spans,
    )
    return app, ordinary


def create_waiting_app(parts: Parts) -> Starlette:
    """What is served until the database is there: health, and 503 for everything else."""
    health = HealthRoutes(parts.why_not_ready, parts.versions)
    app = Starlette(routes=[*health.routes(), health.everything_else()])
    app.router.redirect_slashes = False
    parts.problems.install(app)
    return app


def _middleware(parts: Parts, templates: RouteTemplates, spans: RequestSpans | None) -> list[Middleware]:
    settings, problems = parts.settings, parts.problems
    return [
        *([] if spans is None else [Middleware(TracedRequests, spans)]),
        Middleware(Timed, parts.request_times, templates),
        Middleware(BodyLimits, body_bytes_max(settings.body_bytes_max)),
        Middleware(AllowedHosts, settings.allowed_hosts, lambda host: problems.answer_to(Misdirected(host))),
        *_cors(settings.allowed_origins),
        Middleware(Admission, parts.in_flight, parts.rate_limits, problems),
        Middleware(ServerErrorMiddleware, problems.of_defect),  # its own answers within the headers of all others
    ]


def _spans(parts: Parts, templates: RouteTemplates) -> RequestSpans | None:
    if parts.tracing is None:
        return None
    return RequestSpans(parts.tracing, urlsplit(parts.url).scheme, templates)


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=CORS_METHODS,
            allow_headers=CORS_REQUEST_HEADERS,
            expose_headers=CORS_ANSWER_HEADERS,
        )
    ]
