"""Spans of OpenTelemetry around what is sent and what was received, where the application traces.

Nothing is imported for it: where the application has not imported ``opentelemetry``, it traces nothing.
"""

import re
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from stockwire.errors import StockwireError
from stockwire.request import Request

E = TypeVar("E")

API = "opentelemetry.trace"
TRACER = "stockwire"
_NAMES = {
    "items": ("{sku}",),
    "levels": ("{location}", "{sku}"),
    "locations": ("{location}",),
    "reservations": ("{id}",),
    "transfers": ("{id}",),
}
"""What stands behind a collection in the path of a write: spans have few names, and no sku in theirs."""
_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class Sent:
    """``headers``: what each try of a call carries beside its own."""

    def __init__(self, headers: Mapping[str, str], span: Any = None) -> None:
        self.headers = headers
        self._span = span

    def answered(self, status: int) -> None:
        if self._span is not None:
            self._span.set_attribute("http.response.status_code", status)


@contextmanager
def sending(request: Request, url: str) -> Generator[Sent]:
    """Around a call and all of its tries. A write has a CLIENT span of its own, a read the one that is current.

    ``url``: the ledger's.
    """
    api: Any = sys.modules.get(API)
    if api is None:
        yield Sent({})
    elif not request.writes:
        yield Sent(_traceparent(api.get_current_span()))
    else:
        tracer, name, attributes = api.get_tracer(TRACER), _name(request), _attributes(request, url)
        with tracer.start_as_current_span(
            name, kind=api.SpanKind.CLIENT, attributes=attributes, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield Sent(_traceparent(span), span)
            except StockwireError as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(api.StatusCode.ERROR)
                raise


@contextmanager
def receiving(event: object) -> Generator[None]:
    """Around what the application does with ``event``: a CONSUMER span, if it tells of a change that was traced."""
    api: Any = sys.modules.get(API)
    traceparent = getattr(getattr(event, "level", None), "traceparent", None)
    if api is None or traceparent is None or (found := _TRACEPARENT.fullmatch(traceparent)) is None:
        yield
        return
    trace_id, span_id, flags = (int(one, 16) for one in found.groups())
    told = api.SpanContext(trace_id, span_id, is_remote=True, trace_flags=api.TraceFlags(flags))
    context = api.set_span_in_context(api.NonRecordingSpan(told))
    tracer, kind = api.get_tracer(TRACER), api.SpanKind.CONSUMER
    with tracer.start_as_current_span("receive level", context, kind=kind, record_exception=False):
        yield


def handed(event: E) -> E:
    """As ``receiving``, for who takes ``event`` and does with it what nobody knows: the span tells when."""
    with receiving(event):
        return event


def _traceparent(span: Any) -> Mapping[str, str]:
    """As W3C Trace Context has it; nothing where no trace has begun."""
    context = span.get_span_context()
    if not context.is_valid:
        return {}
    return {"traceparent": f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags & 3:02x}"}


def _name(request: Request) -> str:
    _, version, collection, *rest = request.path.split("/")
    names = _NAMES.get(collection, ())
    return f"{request.method} /{'/'.join((version, collection, *names[: len(rest)], *rest[len(names) :]))}"


def _attributes(request: Request, url: str) -> dict[str, str | int]:
    """Of the semantic conventions for HTTP clients."""
    parts = urlsplit(url)
    return {
        "http.request.method": request.method,
        "url.full": url + request.path,
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }
