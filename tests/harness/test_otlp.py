"""The receiver of traces reads what OpenTelemetry's own exporter sends, and takes nothing else for it."""

import httpx
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import Link, SpanKind, StatusCode

from tests.harness.otlp import PATH, OtlpReceiver, Span


def send(receiver: OtlpReceiver, compression: Compression) -> None:
    provider = TracerProvider(
        resource=Resource({"service.name": "shop", "service.version": "3"}), shutdown_on_exit=False
    )
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(receiver.url + PATH, compression=compression)))
    tracer = provider.get_tracer("tests")
    with tracer.start_as_current_span("sale", kind=SpanKind.SERVER) as sale:
        tracer.start_span("write", links=[Link(sale.get_span_context())], attributes={"rows": 3, "of": ["a"]}).end()
        sale.set_status(StatusCode.ERROR)
    provider.shutdown()


async def test_what_the_sdk_sends_is_what_was_received() -> None:
    for compression in (Compression.NoCompression, Compression.Gzip):
        with OtlpReceiver() as receiver:
            send(receiver, compression)
            received = await receiver.wait_for(lambda received: len(received.spans) == 2)
            (sale,), (write,) = received.named("sale"), received.named("write")
        assert received.resources == {"shop": {"service.name": "shop", "service.version": "3"}}
        assert received.of_trace(sale.trace) == [write, sale]
        assert (sale.kind, sale.parent, sale.failed, sale.links) == ("SERVER", "", True, ())
        assert 0 < sale.start_ns <= write.start_ns <= write.end_ns <= sale.end_ns
        assert write == Span(
            service="shop",
            name="write",
            kind="INTERNAL",
            trace=sale.trace,
            id=write.id,
            parent=sale.id,
            start_ns=write.start_ns,
            end_ns=write.end_ns,
            attributes={"rows": 3, "of": ["a"]},
            links=(sale.where,),
            failed=False,
        )


def test_what_is_sent_elsewhere_or_as_something_else_is_not_taken() -> None:
    with OtlpReceiver() as receiver:
        assert httpx.post(receiver.url + "/v1/metrics", content=b"").status_code == 404
        assert httpx.post(receiver.url + PATH, content=b"{}", headers={"Content-Type": "application/json"}).is_error
        assert not receiver.received.requests
