"""One span for each commit statement, whatever is in it, linked with all that is traced in it, both ways."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from ledger.commit import commit_spans
from ledger.commit.operation import Operation, Outcome
from ledger.commit.pending import Pending
from ledger.commit.writer import _give_up
from server.log import JsonLines
from server.tracing.span import Span, SpanKind
from server.tracing.tracing import Tracing
from server.tracing.tracing_settings import read_tracing_settings
from tests.harness.otlp import OtlpReceiver, Received
from tests.harness.otlp import Span as ReceivedSpan
from tests.ledger.commit_path import CommitPath, commit_path, line, operation

QUEUED = 200
"""A batch takes half of what is at work: the first 100, and the rest."""


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
async def traced(database_url: str, receiver: OtlpReceiver) -> AsyncIterator[tuple[CommitPath, Tracing]]:
    """Writers of a process that traces, and what their requests would be given."""
    settings = read_tracing_settings(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url,
            "OTEL_BSP_SCHEDULE_DELAY": "20",
            "OTEL_TRACES_SAMPLER": "always_on",
            "STOCKWIRE_TRACES_PER_S": "1000",
        }
    )
    assert settings is not None
    tracing = Tracing(settings, "tests")
    async with commit_path(database_url, tracing=tracing) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 10)))
        yield path, tracing
    await asyncio.to_thread(tracing.close)


async def ask(path: CommitPath, tracing: Tracing, asked: Operation) -> tuple[Span, Outcome]:
    """As a request does, which is over when it is answered."""
    span = tracing.serve(None)
    assert span is not None
    span.name = "request"
    outcome = await path.writers.enqueue(asked, span)
    tracing.record(span)
    return span, outcome


def of_requests(received: Received) -> bool:
    return len(received.named("request")) == QUEUED


async def test_a_hundred_operations_in_a_batch_are_one_span_with_links_to_all_of_them(
    traced: tuple[CommitPath, Tracing], receiver: OtlpReceiver
) -> None:
    path, tracing = traced
    asked = [operation(line("A", "berlin", 1)) for _ in range(QUEUED)]
    answers = await asyncio.gather(*(ask(path, tracing, one) for one in asked))
    received = await receiver.wait_for(of_requests)
    batches = [span for span in received.named("commit batch") if span.links]
    assert sorted(batch.attributes["stockwire.operations"] for batch in batches) == [100, 100]
    assert len(received.named("write batch")) == len(batches)
    assert sum(span.kind == "PRODUCER" for span in received.spans) == len(batches)

    requests = {span.trace: span for span in received.named("request")}
    linked = [where for batch in batches for where in batch.links]
    assert sorted(linked) == sorted(span.where for span in requests.values())
    for batch in batches:
        first = requests[batch.trace]
        assert (batch.parent, batch.links[0], first.links) == (first.id, first.where, ())
        for trace, _ in batch.links[1:]:
            assert requests[trace].links == (batch.where,)
    assert sorted(span.parent for span in received.named("wait for the writer")) == sorted(
        span.id for span in requests.values()
    )
    ids = {span.trace.trace_id: outcome.operation for span, outcome in answers}
    assert {trace: span.attributes["stockwire.operation.id"] for trace, span in requests.items()} == ids


async def test_a_request_of_many_operations_waits_once_and_is_linked_once(
    traced: tuple[CommitPath, Tracing], receiver: OtlpReceiver
) -> None:
    path, tracing = traced
    request = tracing.serve(None)
    assert request is not None
    asked = [operation(line("A", "berlin", 1)) for _ in range(20)]
    await asyncio.gather(*(path.writers.enqueue(one, request) for one in asked))
    request.name = "request"
    tracing.record(request)
    received = await receiver.wait_for(lambda received: received.named("request"))
    (batch,) = (span for span in received.named("commit batch") if span.links)
    (wait,), (served,) = received.named("wait for the writer"), received.named("request")
    assert (batch.attributes["stockwire.operations"], batch.links) == (20, (served.where,))
    assert (batch.parent, wait.parent, served.links) == (served.id, served.id, ())
    assert served.attributes == {"stockwire.operations": 20}


async def test_a_batch_that_is_not_traced_has_no_span_unless_it_is_slow(
    traced: tuple[CommitPath, Tracing], receiver: OtlpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, tracing = traced

    async def batches() -> list[ReceivedSpan]:
        """All until now: spans go in the order in which they were handed over."""
        marker = Span("marker", SpanKind.INTERNAL, time.time_ns())
        tracing.record(marker)
        received = await receiver.wait_for(lambda received: received.of_trace(marker.trace.trace_id))
        return received.named("commit batch")

    before = await batches()  # on a busy machine the fixture's may have been slow
    monkeypatch.setattr(commit_spans, "SLOW_S", 0.0)
    await path.writers.submit(operation(line("A", "berlin", 1)))
    monkeypatch.setattr(commit_spans, "SLOW_S", 1e9)
    await path.writers.submit(operation(line("A", "berlin", 1)))
    (slow,) = (await batches())[len(before) :]
    assert slow.attributes == {"stockwire.operations": 1, "stockwire.slow": True}
    assert (slow.parent, slow.links) == ("", ())

    monkeypatch.setattr(commit_spans, "SLOW_S", 0.0)
    request, _ = await ask(path, tracing, operation(line("A", "berlin", 1)))
    asked = (await batches())[-1]
    assert (asked.trace, asked.attributes["stockwire.slow"]) == (request.trace.trace_id, True)


async def test_a_try_that_lost_a_race_is_a_span_that_failed_beside_the_one_that_was_good(
    traced: tuple[CommitPath, Tracing], receiver: OtlpReceiver, database_url: str
) -> None:
    path, tracing = traced
    async with commit_path(database_url) as rival:
        await rival.writers.submit(operation(line("A", "berlin", 1)))
        await ask(path, tracing, operation(line("A", "berlin", 1)))
    received = await receiver.wait_for(lambda received: received.named("request"))
    batches = sorted((span for span in received.named("commit batch") if span.links), key=lambda span: span.start_ns)
    (request,) = received.named("request")
    assert {batch.parent for batch in batches} == {request.id}
    assert [batch.failed for batch in batches][-1] is False
    assert sum(batch.failed for batch in batches) == len(batches) - 1 > 0
    assert all("error.type" in batch.attributes for batch in batches if batch.failed)


async def test_a_batch_that_is_given_up_is_logged_with_the_trace_of_its_first_that_is_traced(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caplog.handler, "formatter", JsonLines())
    batch = [Pending(operation(line("A", "berlin", 1)), 0.0) for _ in range(3)]
    batch[1].span, batch[2].span = (Span("request", SpanKind.SERVER, 1) for _ in range(2))
    _give_up(batch, False, TimeoutError("too long"))
    assert json.loads(caplog.text)["trace_id"] == batch[1].span.trace.trace_id


def test_a_batch_links_no_more_than_a_span_may() -> None:
    span = Span("batch", SpanKind.INTERNAL, time.time_ns())
    for _ in range(300):
        span.link(Span("request", SpanKind.SERVER, 1).trace)
    assert len(span.links) == 128
