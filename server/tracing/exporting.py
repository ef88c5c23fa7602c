"""Spans on their way to a collector: a bounded queue, a thread that sends, and what is counted of both.

The libraries are imported here and nowhere else, when this is made. A collector that is away, slow, hangs or answers
nonsense costs what was meant for it, and nothing else.
"""

import io
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from server.settings.extras import TRACES, not_installed
from server.tracing.names import ERROR_TYPE
from server.tracing.span import REMOTE, Span
from server.tracing.tracing_settings import TracingSettings
from server.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter

CLOSE_S = 2.0
"""For what is left at the end of the process; the rest is lost."""
ANSWER_BYTES_MAX = 4096
"""Of what a collector answers: whatever it says has room there, and an endless one is left."""
SCOPE = "stockwire"

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Counts:
    """Of spans since start. ``dropped``: the queue was full. ``failed``: nobody took them."""

    exported: int = 0
    failed: int = 0
    dropped: int = 0


class Exporting:
    """``put`` never waits and never fails. ``close`` waits for 2 s at most; safe twice. Raises SettingsError if the
    libraries are missing."""

    def __init__(self, settings: TracingSettings, resource: dict[str, str]) -> None:
        """``resource``: attributes of this process, beside and below those that ``OTEL_...`` gives it."""
        try:
            sdk = _Sdk(settings, resource)
        except ImportError as error:
            raise not_installed(*TRACES, error, "unset OTEL_..., or ") from error
        self.counts = Counts()
        self._queue_max = settings.queue_max
        self._readable = sdk.readable
        self._taken = 0
        self._put = 0
        self._failing = False
        self._closing = False
        self._send = sdk.send
        self._why = sdk.why
        self._processor = sdk.processor(self._export, settings)

    @property
    def queued(self) -> int:
        return self._put - self._taken

    def put(self, span: Span) -> None:
        if self.queued >= self._queue_max or self._closing:
            self.counts.dropped += 1
            return
        self._put += 1
        self._processor.on_end(self._readable(span))

    def close(self) -> None:
        """The library waits for as long as its collector does: it is left to a thread that ends with the process."""
        if not self._closing:
            self._closing = True
            closing = threading.Thread(target=self._processor.shutdown, name="traces close", daemon=True)
            closing.start()
            closing.join(CLOSE_S)
            if closing.is_alive():
                log.warning("traces were not taken in time, some are lost spans=%d", self.queued)

    def _export(self, spans: "Sequence[ReadableSpan]") -> bool:
        """In the queue's thread."""
        self._taken += len(spans)
        taken = self._send(spans)
        if taken:
            self.counts.exported += len(spans)
        else:
            self.counts.failed += len(spans)
        if self._failing is taken:
            self._failing = not taken
            if taken:
                log.info("traces are sent again")
            else:
                log.warning("traces cannot be sent, they are lost, nothing else is reason=%r", self._why())
        return taken


class _Sdk:
    """All that is OpenTelemetry's. Raises ImportError."""

    def __init__(self, settings: TracingSettings, resource: dict[str, str]) -> None:
        import requests
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.trace.export import SpanExportResult
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # a line for each request that fails: we say it
        self._trace = trace
        self._span = ReadableSpan
        self._resource = Resource.create(resource).merge(OTELResourceDetector().detect())
        self._scope = InstrumentationScope(SCOPE, VERSION)
        self._success = SpanExportResult.SUCCESS
        self._failure = SpanExportResult.FAILURE
        self._kinds = {kind.name: kind for kind in trace.SpanKind}
        self._failed = trace.Status(trace.StatusCode.ERROR)
        self._unset = trace.Status(trace.StatusCode.UNSET)
        self._answers = _answers()
        session = requests.Session()
        session.mount("http://", self._answers)
        session.mount("https://", self._answers)
        self._exporter: SpanExporter = OTLPSpanExporter(
            endpoint=settings.endpoint,
            timeout=settings.timeout_s,
            compression=Compression(settings.compression),
            session=session,
        )

    def processor(self, export: "Callable[[Sequence[ReadableSpan]], bool]", settings: TracingSettings) -> Any:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

        class Counted(SpanExporter):
            def export(self, spans: "Sequence[ReadableSpan]") -> SpanExportResult:
                return SpanExportResult.SUCCESS if export(spans) else SpanExportResult.FAILURE

            def shutdown(self) -> None:
                exporter.shutdown()

        exporter = self._exporter
        return BatchSpanProcessor(
            Counted(),
            max_queue_size=settings.queue_max + settings.batch_max,  # ours is full before
            schedule_delay_millis=settings.delay_ms,
            max_export_batch_size=settings.batch_max,
        )

    def send(self, spans: "Sequence[ReadableSpan]") -> bool:
        return self._exporter.export(spans) is self._success

    def why(self) -> str:
        return str(self._answers.last)

    def readable(self, span: Span) -> "ReadableSpan":
        remote = span.kind in REMOTE
        attributes = span.attributes if span.failed is None else {**span.attributes, ERROR_TYPE: span.failed}
        return self._span(
            name=span.name,
            context=self._context(span.trace, remote=False),
            parent=None if span.parent is None else self._context(span.parent, remote=remote),
            resource=self._resource,
            attributes=attributes,
            links=[self._trace.Link(self._context(link, remote=True)) for link in span.links],
            kind=self._kinds[span.kind.name],
            status=self._unset if span.failed is None else self._failed,
            start_time=span.started_ns,
            end_time=max(span.started_ns, span.ended_ns),
            instrumentation_scope=self._scope,
        )

    def _context(self, trace: Any, *, remote: bool) -> Any:
        return self._trace.SpanContext(
            int(trace.trace_id, 16), int(trace.span_id, 16), remote, self._trace.TraceFlags(trace.flags)
        )


def _answers() -> Any:
    """How requests are sent: of an answer only its beginning is read, none is followed elsewhere, and why the last one
    was none is kept."""
    import requests
    from requests.adapters import HTTPAdapter

    class Answers(HTTPAdapter):
        last = "no answer"

        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            try:
                response = super().send(*args, **kwargs)
                whole = response.raw
                response.raw = io.BytesIO(whole.read1(ANSWER_BYTES_MAX, decode_content=False))
                whole.close()  # a connection whose answer was read to its end is kept all the same
                if response.is_redirect or response.status_code < HTTPStatus.OK:
                    raise requests.RequestException(f"answered {response.status_code}: set the address that takes them")
            except Exception as error:
                self.last = f"{type(error).__name__}: {_innermost(error)}"
                raise
            self.last = f"answered {response.status_code}"
            return response

    return Answers()


def _innermost(error: BaseException) -> BaseException:
    """The cause: what libraries put around it names the address, whose path or query may hold a key."""
    causes = (getattr(error, "reason", None), *error.args)
    inner = next((cause for cause in causes if isinstance(cause, BaseException)), None)
    return error if inner is None else _innermost(inner)
