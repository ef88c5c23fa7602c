"""An application that traces finds its writes and what it is told of in its traces; one that does not pays nothing."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from stockwire import AsyncClient, Client, LevelChanged, NotFound, StreamEvent
from stockwire.asyncio.inbox import Inbox as AsyncInbox
from stockwire.kind import LEVELS
from stockwire.level import Level
from stockwire.request import Request
from stockwire.session import Session
from stockwire.sync.inbox import Inbox
from stockwire.sync.listener import Listener
from stockwire.tracing import handed, receiving, sending
from tests.harness.processes import clean_environment
from tests.harness.waiting import PATIENCE_S

TRACE_ID, SPAN_ID = 0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7
TRACEPARENT = f"00-{TRACE_ID:032x}-{SPAN_ID:016x}-01"
MADE = 200, {"location": "berlin", "name": "Berlin"}
BUSY = 503, {"type": "overloaded", "title": "busy", "status": 503, "detail": "busy", "retry_after_s": 0}
GONE = 404, {"type": "not-found", "title": "not", "status": 404, "detail": "no", "field": "location", "value": "x"}


class Spans:
    """What was recorded, the first that ended first."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    @property
    def ended(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Spans:
    """Of an application that has set up its tracer: OpenTelemetry lets a process do that once."""
    spans = Spans()
    monkeypatch.setattr(trace, "get_tracer", spans.provider.get_tracer)
    return spans


@asynccontextmanager
async def played_ledger(*answers: tuple[int, dict[str, Any]]) -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """Its URL, and the headers of what it was asked; each request gets the next of ``answers``."""
    asked: list[dict[str, str]] = []
    left = list(answers)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
        asked.append({name.lower(): value for name, _, value in (line.partition(": ") for line in lines)})
        await reader.readexactly(int(asked[-1].get("content-length", "0")))
        status, document = left.pop(0)
        body = orjson.dumps(document)
        writer.write(b"HTTP/1.1 %d It\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (status, len(body), body))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


def put(url: str) -> None:
    with Client(url, "key") as client:
        client.locations.put("berlin", "Berlin")


def traceparent_of(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
async def test_a_write_is_one_span_however_often_it_is_sent(spans: Spans, blocking: bool) -> None:
    async with played_ledger(BUSY, MADE) as (url, asked):
        with spans.provider.get_tracer("till").start_as_current_span("till") as till:
            if blocking:
                await asyncio.to_thread(put, url)
            else:
                async with AsyncClient(url, "key") as client:
                    await client.locations.put("berlin", "Berlin")
    (span, _) = spans.ended
    assert [headers["traceparent"] for headers in asked] == [traceparent_of(span)] * 2
    assert (span.name, span.kind) == ("PUT /v1/locations/{location}", trace.SpanKind.CLIENT)
    assert span.parent == till.get_span_context()
    assert dict(span.attributes or {}) == {
        "http.request.method": "PUT",
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "url.full": f"{url}/v1/locations/berlin",
    }
    assert span.status.is_unset


async def test_what_is_refused_ends_its_span_as_an_error_without_its_words(spans: Spans) -> None:
    async with played_ledger(GONE) as (url, _), AsyncClient(url, "key") as client:
        with pytest.raises(NotFound):
            await client.locations.put("berlin", "Berlin")
    (span,) = spans.ended
    attributes = span.attributes or {}
    assert (attributes["error.type"], attributes["http.response.status_code"]) == ("NotFound", 404)
    assert (span.status.status_code, span.status.description, span.events) == (trace.StatusCode.ERROR, None, ())


async def test_a_read_tells_of_the_span_that_is_current_and_makes_none(spans: Spans) -> None:
    async with played_ledger(MADE, MADE) as (url, asked), AsyncClient(url, "key") as client:
        await client.locations.get("berlin")
        with spans.provider.get_tracer("till").start_as_current_span("till"):
            await client.locations.get("berlin")
    assert [headers.get("traceparent") for headers in asked] == [None, traceparent_of(spans.ended[0])]
    assert [span.name for span in spans.ended] == ["till"]


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/movements", "POST /v1/movements"),
        ("POST", "/v1/operations", "POST /v1/operations"),
        ("PUT", "/v1/items", "PUT /v1/items"),
        ("PUT", "/v1/items/A", "PUT /v1/items/{sku}"),
        ("PUT", "/v1/levels/berlin/A", "PUT /v1/levels/{location}/{sku}"),
        ("POST", "/v1/reservations", "POST /v1/reservations"),
        ("POST", "/v1/reservations/3f25/commit", "POST /v1/reservations/{id}/commit"),
        ("POST", "/v1/transfers/3f25/receive", "POST /v1/transfers/{id}/receive"),
    ],
)
def test_no_name_of_a_span_has_a_sku_or_an_id_in_it(spans: Spans, method: str, path: str, name: str) -> None:
    with sending(Request(method, path, key="key"), "http://ledger"):
        pass
    assert [span.name for span in spans.ended] == [name]


def test_without_a_tracer_the_trace_that_is_there_is_passed_on() -> None:
    """The API alone, as a library sees it in an application that only hands traces on."""
    told = trace.SpanContext(TRACE_ID, SPAN_ID, is_remote=True, trace_flags=trace.TraceFlags(1))
    write = Request("POST", "/v1/movements", key="key")
    with trace.use_span(trace.NonRecordingSpan(told)), sending(write, "http://ledger") as sent:
        assert sent.headers == {"traceparent": TRACEPARENT}
    with sending(write, "http://ledger") as sent:
        assert sent.headers == {}


def changed(traceparent: str | None) -> LevelChanged:
    return LevelChanged(Level("A", "berlin", 2, 5, 0, 5, "sale", None, 0, 2, traceparent))


def test_what_is_done_with_a_traced_change_is_part_of_its_trace(spans: Spans) -> None:
    with receiving(changed(TRACEPARENT)):
        current = trace.get_current_span()
    assert handed(changed(TRACEPARENT)) == changed(None)
    for span in spans.ended:
        assert (span.name, span.kind) == ("receive level", trace.SpanKind.CONSUMER)
        assert span.parent is not None
        assert (span.parent.trace_id, span.parent.span_id, span.parent.is_remote) == (TRACE_ID, SPAN_ID, True)
    assert spans.ended[0] is not spans.ended[1]
    assert current.get_span_context() == spans.ended[0].get_span_context()


ZEROS = f"00-{0:032x}-{SPAN_ID:016x}-01"


@pytest.mark.parametrize("wrong", [None, "", "00", TRACEPARENT + "-", TRACEPARENT.replace("4bf", "XYZ"), ZEROS])
def test_a_traceparent_that_is_none_counts_as_none(spans: Spans, wrong: str | None) -> None:
    with receiving(changed(wrong)):
        assert handed(changed(wrong)) == changed(None)
    with receiving(None):
        pass
    assert not spans.ended


def feed(inbox: Inbox | AsyncInbox) -> None:
    """A connection's beginning, and then a sale that is traced."""
    level = {
        "sku": "A",
        "location": "berlin",
        "version": 1,
        "kind": "sale",
        "on_hand": 5,
        "reserved": 0,
        "available": 5,
    }
    level |= {"shard": 0, "seq": 1, "committed_at": "2026-11-22T10:00:00Z"}
    inbox.session.begin("token")
    for message in (
        {"type": "connected", "id": 1, "node": "n", "epoch": "e", "heartbeat_s": 5, "expires_at": None},
        {"type": "subscribed", "id": 2, "sub": 2, "recovered": False},
        {"type": "snapshot", "sub": 2, "levels": [level], "last": True, "position": {"epoch": "e", "seq": {"0": 1}}},
        {"type": "level", **level, "version": 2, "seq": 2, "traceparent": TRACEPARENT},
    ):
        inbox.receive(orjson.dumps(message))


@pytest.mark.parametrize("blocking", [False, True], ids=["async", "blocking"])
async def test_a_callback_runs_within_the_span_of_what_it_is_told(spans: Spans, blocking: bool) -> None:
    heard: asyncio.Queue[tuple[StreamEvent, int]] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def callback(event: StreamEvent) -> None:
        loop.call_soon_threadsafe(heard.put_nowait, (event, trace.get_current_span().get_span_context().span_id))

    if blocking:
        inbox = Inbox(LEVELS, "berlin", None)
        listener = Listener(inbox, callback, "berlin", set())
        feed(inbox)
    else:
        asynchronous = AsyncInbox(Session(LEVELS, "berlin", None), "berlin")
        asynchronous.listeners.append(callback)
        feed(asynchronous)
    async with asyncio.timeout(PATIENCE_S):
        told = {type(event): span_id async for event, span_id in _until_changed(heard)}
    if blocking:
        listener.stop()
        await asyncio.to_thread(listener.join, PATIENCE_S)
    (span,) = spans.ended
    context = span.get_span_context()
    assert context is not None
    assert told[LevelChanged] == context.span_id
    assert {span_id for kind, span_id in told.items() if kind is not LevelChanged} <= {0}


async def _until_changed(heard: asyncio.Queue[tuple[StreamEvent, int]]) -> AsyncIterator[tuple[StreamEvent, int]]:
    while True:
        event, span_id = await heard.get()
        yield event, span_id
        if isinstance(event, LevelChanged):
            return


@pytest.mark.usefixtures("processes")
def test_an_application_that_does_not_trace_imports_nothing_for_it() -> None:
    program = (
        "import sys, stockwire, stockwire.tracing as tracing, stockwire.request as request\n"
        "from stockwire import AsyncClient, Client\n"
        "AsyncClient, Client\n"
        "with tracing.sending(request.Request('POST', '/v1/movements'), 'http://ledger') as sent:\n"
        "    assert sent.headers == {}\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", program], env=clean_environment({}), timeout=PATIENCE_S, check=True)
