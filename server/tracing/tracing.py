"""What a process traces. There is one in each, or none at all: whoever has none asks nothing and makes nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from server.histogram import Exemplar
from server.tracing.exporting import Exporting
from server.tracing.names import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION
from server.tracing.sampling import Sampling
from server.tracing.span import Span, SpanKind
from server.tracing.tracing_settings import TracingSettings
from server.version import VERSION
from wire.trace import Trace

CURRENT: ContextVar[Span | None] = ContextVar("stockwire.span", default=None)
"""The span of the request that a task is at work for, if that is traced."""


@contextmanager
def within(span: Span | None) -> Iterator[None]:
    """What is logged meanwhile says of which trace it is."""
    token = CURRENT.set(span)
    try:
        yield
    finally:
        CURRENT.reset(token)


class Tracing:
    """Decides, and takes the spans of what was decided for. Neither waits for anything."""

    def __init__(self, settings: TracingSettings, service: str, instance: str | None = None) -> None:
        """``instance``: which one of the service it is, if it has a name. Raises SettingsError."""
        resource = {SERVICE_NAME: service, SERVICE_VERSION: VERSION}
        if instance is not None:
            resource[SERVICE_INSTANCE_ID] = instance
        self.sampling = Sampling(settings.rule, settings.per_s)
        self.exporting = Exporting(settings, resource)

    def serve(self, traceparent: bytes | None, *, keyless: bool = False) -> Span | None:
        """The span of a request that came with this header, if it is traced. Whoever answers it says what it was.

        ``keyless``: without a key; see ``Sampling.follows``.
        """
        if traceparent is None:
            wanted, given = self.sampling.may_begin(), None
        else:
            wanted, given = self.sampling.follows(traceparent, keyless=keyless)
        if not wanted or not self.room():
            return None
        return Span("", SpanKind.SERVER, time.time_ns(), parent=given)

    def room(self) -> bool:
        """Whether this second has room for one more that somebody asked for."""
        return self.sampling.room(time.monotonic())

    def unasked_room(self) -> bool:
        """The same for what is always traced."""
        return self.sampling.unasked.room(time.monotonic())

    def record(self, span: Span, ended_ns: int | None = None) -> None:
        """It is over, now or then."""
        span.ended_ns = time.time_ns() if ended_ns is None else ended_ns
        self.exporting.put(span)

    def close(self) -> None:
        """Sends what is left, for 2 s at most. Safe twice. It waits: not within a loop."""
        self.exporting.close()


def tracing_of(settings: TracingSettings | None, service: str, instance: str | None = None) -> Tracing | None:
    """None where nothing is traced. Raises SettingsError."""
    return None if settings is None else Tracing(settings, service, instance)


def exemplar_of(trace: Trace | None) -> Exemplar | None:
    """For what has just ended, if it was traced."""
    return None if trace is None else Exemplar(trace.trace_id, time.time())
