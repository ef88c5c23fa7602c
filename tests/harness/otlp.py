"""A receiver of traces: OTLP over HTTP, decoded by the protocol's own messages. Real, but keeps what it is sent."""

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.harness.waiting import wait_until

PATH = "/v1/traces"
CONTENT_TYPE = "application/x-protobuf"

Where = tuple[str, str]
"""The ids of a trace and of a span in it."""


@dataclass(frozen=True)
class Span:
    """As it came. ``kind`` as in ``SERVER``; ``parent``: the id of its parent, empty if it begins its trace; times in
    nanoseconds. ``service``: whose it is. ``failed``: its status is an error."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    links: tuple[Where, ...]
    failed: bool

    @property
    def where(self) -> Where:
        return self.trace, self.id


@dataclass
class Received:
    """``spans`` in the order in which they came. ``resources``: the attributes of each service."""

    spans: list[Span] = field(default_factory=list)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: int = 0

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def of_trace(self, trace: str) -> list[Span]:
        return [span for span in self.spans if span.trace == trace]


class OtlpReceiver:
    """Within a ``with``. ``url``: the base, for ``OTEL_EXPORTER_OTLP_ENDPOINT``."""

    def __init__(self, port: int = 0) -> None:
        self.received = Received()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), type("Handler", (_Handler,), {"receiver": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    async def wait_for(self, found: Callable[[Received], object], what: str = "") -> Received:
        """What was received when ``found`` is true. Raises AssertionError if it never comes to that."""

        async def has_come() -> bool:
            return bool(found(self.received))

        await wait_until(has_come, what=what)
        return self.received

    def take(self, data: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(data)
        self.received.requests += 1
        for resource_spans in request.resource_spans:
            resource = attributes_of(resource_spans.resource.attributes)
            service = str(resource.get("service.name", ""))
            self.received.resources[service] = resource
            for scope in resource_spans.scope_spans:
                self.received.spans += [_span(service, span) for span in scope.spans]


def attributes_of(pairs: Any) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, which) if which else None


def _span(service: str, span: trace_pb2.Span) -> Span:
    return Span(
        service=service,
        name=span.name,
        kind=trace_pb2.Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        start_ns=span.start_time_unix_nano,
        end_ns=span.end_time_unix_nano,
        attributes=attributes_of(span.attributes),
        links=tuple((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        failed=span.status.code == trace_pb2.Status.STATUS_CODE_ERROR,
    )


class _Handler(BaseHTTPRequestHandler):
    receiver: OtlpReceiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = self.headers["Content-Length"]
        body = self._chunks() if length is None else self.rfile.read(int(length))
        if self.path != PATH or self.headers["Content-Type"] != CONTENT_TYPE:
            self._answer(404, b"")
            return
        self.receiver.take(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        self._answer(200, ExportTraceServiceResponse().SerializeToString())

    def _chunks(self) -> bytes:
        """As Envoy sends them: RFC 9112, 7.1, without trailers."""
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not in what a test prints."""
