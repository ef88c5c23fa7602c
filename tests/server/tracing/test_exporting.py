"""A collector that is away, hangs, lies or never stops costs what was meant for it, and nothing else."""

import logging
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from server.tracing.exporting import ANSWER_BYTES_MAX, CLOSE_S, Exporting
from server.tracing.span import Span, SpanKind, place
from server.tracing.tracing_settings import read_tracing_settings
from tests.harness.otlp import OtlpReceiver
from tests.harness.waiting import PATIENCE_S, wait_until

QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "10", "OTEL_EXPORTER_OTLP_TIMEOUT": "0.5"}
HEAD = b"HTTP/1.1 %b\r\nContent-Type: application/x-protobuf\r\n"


def exporting_to(url: str, **variables: str) -> Exporting:
    settings = read_tracing_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": url, **QUICK, **variables})
    assert settings is not None
    return Exporting(settings, {"service.name": "tests", "service.instance.id": "one"})


def span(name: str = "span") -> Span:
    made = Span(name, SpanKind.INTERNAL, time.time_ns())
    made.ended_ns = time.time_ns()
    return made


@contextmanager
def collector(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """Reads the head of each request, then ``answer`` has the connection; at the end it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(connection: socket.socket) -> None:
        with closing(connection):
            try:
                while connection.recv(65_536):
                    answer(connection)
            except OSError:
                pass

    def accept() -> None:
        try:
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def say(answer: bytes) -> Callable[[socket.socket], object]:
    return lambda connection: connection.sendall(answer)


def pour(connection: socket.socket) -> None:
    """A good answer that never ends."""
    connection.sendall(HEAD % b"200 OK" + b"\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def drip(connection: socket.socket) -> None:
    """A head that never ends, a byte at a time."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


LIES: dict[str, tuple[Callable[[socket.socket], object], str]] = {
    "an error": (say(HEAD % b"500 Oops" + b"Content-Length: 0\r\n\r\n"), "500"),
    "a refusal": (say(HEAD % b"401 Who" + b"Content-Length: 3\r\n\r\nwho"), "401"),
    "busy for a year": (say(HEAD % b"503 Later" + b"Retry-After: 31536000\r\nContent-Length: 0\r\n\r\n"), "503"),
    "a redirect": (say(HEAD % b"307 There" + b"Location: /elsewhere\r\nContent-Length: 0\r\n\r\n"), "307"),
    "no HTTP": (say(b"\x00\xff garbage\r\n\r\n"), "Error"),
    "nothing": (lambda connection: connection.close(), "Error"),
}


@pytest.mark.parametrize("name", LIES)
async def test_what_no_collector_takes_is_counted_and_told_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    answer, reason = LIES[name]
    with collector(answer) as url, caplog.at_level(logging.DEBUG):
        exporting = exporting_to(url)
        for number in (1, 2):
            exporting.put(span())
            await wait_until(has_failed(exporting, number), what=f"{number} failed")
        exporting.close()
    assert (exporting.counts.exported, exporting.counts.dropped) == (0, 0)
    (warning,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert "traces cannot be sent" in warning.message
    assert reason in warning.message


def has_failed(exporting: Exporting, spans: int) -> Callable[[], Awaitable[bool]]:
    async def failed() -> bool:
        return exporting.counts.failed == spans

    return failed


@pytest.mark.parametrize("name", [None, *LIES])
async def test_the_address_is_not_told_since_a_key_may_be_in_it(
    name: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    with collector(LIES[name or "nothing"][0]) as url, caplog.at_level(logging.WARNING):
        at = url if name else "http://127.0.0.1:1"
        exporting = exporting_to(at, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{at}/in-path?key=in-query")
        exporting.put(span())
        await wait_until(has_failed(exporting, 1))
        exporting.close()
    (warning,) = (record for record in caplog.records if "traces cannot be sent" in record.message)
    assert "in-path" not in warning.message
    assert "in-query" not in warning.message
    assert name or "Connection refused" in warning.message


async def test_one_that_comes_back_is_sent_to_again_and_that_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with caplog.at_level(logging.INFO):
        exporting = exporting_to(f"http://127.0.0.1:{port}")
        exporting.put(span())
        await wait_until(has_failed(exporting, 1))
        with OtlpReceiver(port) as receiver:
            exporting.put(span("later"))
            received = await receiver.wait_for(lambda received: received.spans)
            exporting.close()
    assert [one.name for one in received.spans] == ["later"]
    told = [record.message for record in caplog.records if record.name == "server.tracing.exporting"]
    assert [one.startswith(words) for one, words in zip(told, ("traces cannot", "traces are sent again"), strict=True)]


async def test_an_answer_that_never_ends_is_read_a_little_and_its_spans_were_taken() -> None:
    """The library reads whole answers: this one would fill the memory, and hold the interpreter."""
    poured = threading.Event()

    def pouring(connection: socket.socket) -> None:
        try:
            pour(connection)
        finally:
            poured.set()

    with collector(pouring) as url:
        exporting = exporting_to(url)
        exporting.put(span())

        async def taken() -> bool:
            return exporting.counts.exported == 1 and poured.is_set()

        await wait_until(taken, what="the connection was left")
        exporting.close()
    assert ANSWER_BYTES_MAX < 65_536


@pytest.mark.parametrize("answer", [lambda _: threading.Event().wait(PATIENCE_S), drip], ids=["hangs", "drips"])
def test_nobody_waits_for_a_collector_that_does_not_answer(answer: Callable[[socket.socket], object]) -> None:
    with collector(answer) as url:
        exporting = exporting_to(url, OTEL_BSP_MAX_QUEUE_SIZE="50", OTEL_EXPORTER_OTLP_TIMEOUT="60")
        for _ in range(1_000):
            exporting.put(span())
        assert exporting.queued <= 50
        counts = exporting.counts
        assert counts.dropped >= 1_000 - 3 * 50, "what is on its way is no longer in the queue"
        began = time.monotonic()
        exporting.close()
        exporting.close()
        assert time.monotonic() - began < 2 * CLOSE_S + PATIENCE_S
        exporting.put(span())
        assert (counts.exported, counts.failed) == (0, 0)


async def test_a_span_says_what_it_was_given() -> None:
    parent = place(None)
    made = Span("served", SpanKind.SERVER, 2_000, parent=parent, links=[place(None) for _ in range(200)])
    made.ended_ns, made.failed = 1_000, "500"
    made.attributes = {"http.response.status_code": 500}
    with OtlpReceiver() as receiver:
        exporting = exporting_to(receiver.url, OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
        exporting.put(made)
        received = await receiver.wait_for(lambda received: received.spans)
        exporting.close()
    (span,) = received.spans
    assert (span.name, span.kind, span.failed) == ("served", "SERVER", True)
    assert (span.trace, span.parent, span.id) == (parent.trace_id, parent.span_id, made.trace.span_id)
    assert (span.start_ns, span.end_ns) == (2_000, 2_000), "a clock that was set back makes no span end before it began"
    assert span.attributes == {"http.response.status_code": 500, "error.type": "500"}
    assert len(span.links) == 128
    resource = received.resources["tests"]
    assert resource["service.instance.id"] == "one"
    assert resource["telemetry.sdk.language"] == "python"


async def test_what_is_left_at_the_end_is_sent() -> None:
    with OtlpReceiver() as receiver:
        exporting = exporting_to(receiver.url, OTEL_BSP_SCHEDULE_DELAY="60000")
        exporting.put(span("last"))
        exporting.close()
        assert [one.name for one in receiver.received.spans] == ["last"]


async def test_what_opentelemetrys_variables_say_of_a_process_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "till ledger")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    with OtlpReceiver() as receiver:
        exporting = exporting_to(receiver.url)
        exporting.put(span())
        received = await receiver.wait_for(lambda received: received.spans)
        exporting.close()
    assert received.resources["till ledger"]["deployment.environment.name"] == "test"
