"""A traced request: its span, whichever way it is answered. Nothing of it is there where nothing is traced."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.http.admission import HEALTH
from server.http.route_templates import NO_ROUTE, RouteTemplates
from server.tracing import names
from server.tracing.span import Span
from server.tracing.tracing import CURRENT, Tracing

HEADER = b"traceparent"
AUTHORIZATION = b"authorization"
FAULTS_FROM = 500
"""Of statuses: those that are our failure. A refusal is an answer."""


class RequestSpans:
    """``begin`` when it is known who is served, ``end`` when the answer was written."""

    def __init__(self, tracing: Tracing, scheme: str, templates: RouteTemplates) -> None:
        self._tracing = tracing
        self._scheme = scheme
        self._templates = templates

    def begin(self, headers: list[tuple[bytes, bytes]], named: dict[bytes, bytes]) -> Span | None:
        """None if it is not traced. ``named``: the last of each name. A header given twice is none: whose trace it is
        cannot be told. Whether a key is any good is not known yet: that there is one decides whether it is believed."""
        traceparent = named.get(HEADER)
        if traceparent is not None and sum(name == HEADER for name, _ in headers) > 1:
            traceparent = None
        return self._tracing.serve(traceparent, keyless=AUTHORIZATION not in named)

    def end(self, span: Span, method: str, path: str, http_version: str, status: int) -> None:
        template = self._templates.of(method, path)
        span.name = method
        span.attributes |= {
            names.HTTP_REQUEST_METHOD: method,
            names.URL_PATH: path,
            names.URL_SCHEME: self._scheme,
            names.NETWORK_PROTOCOL_VERSION: http_version,
            names.HTTP_RESPONSE_STATUS_CODE: status,
        }
        if template is not NO_ROUTE:
            span.name = " ".join(template)
            span.attributes[names.HTTP_ROUTE] = template[1]
        if status >= FAULTS_FROM:
            span.failed = str(status)
        self._tracing.record(span)


class TracedRequests:
    """Pure ASGI middleware, for what takes the routes. Health is asked for more often than it tells anything."""

    def __init__(self, app: ASGIApp, spans: RequestSpans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        span = None
        if scope["type"] == "http" and scope["path"] not in HEALTH:
            span = self._spans.begin(scope["headers"], dict(scope["headers"]))
        if span is None:
            await self._app(scope, receive, send)
            return
        status = FAULTS_FROM  # of a request that was never answered

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = CURRENT.set(span)
        try:
            await self._app(scope, receive, watched)
        finally:
            CURRENT.reset(token)
            self._spans.end(span, scope["method"], scope["path"], scope["http_version"], status)
