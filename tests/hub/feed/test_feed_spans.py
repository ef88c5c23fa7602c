"""A repair from the log and a rewritten history are always spans, a flush if it brings what is traced; all bounded."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from hub.fanout.traced import Traced
from hub.feed.feed_spans import FeedSpans
from server.tracing.span import LINKS_MAX, place
from server.tracing.tracing import Tracing
from server.tracing.tracing_settings import read_tracing_settings
from tests.harness.otlp import OtlpReceiver

PER_S = 3


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    with OtlpReceiver() as receiver:
        yield receiver


@pytest.fixture
async def tracing(receiver: OtlpReceiver) -> AsyncIterator[Tracing]:
    variables = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_TRACES_SAMPLER": "always_off"}
    settings = read_tracing_settings(
        {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "STOCKWIRE_TRACES_PER_S": str(PER_S), **variables}
    )
    assert settings is not None
    tracing = Tracing(settings, "tests")
    yield tracing
    await asyncio.to_thread(tracing.close)


async def test_repairs_and_rewritten_histories_are_traced_though_nobody_asked(
    tracing: Tracing, receiver: OtlpReceiver
) -> None:
    spans = FeedSpans(tracing)
    repair, resync = spans.begin_repair(3), spans.begin_resync("an-epoch")
    assert repair is not None
    assert resync is not None
    spans.end(repair, events=7)
    spans.end(resync)
    received = await receiver.wait_for(lambda received: len(received.spans) == 2)
    (read,), (rewritten,) = received.named("read the log"), received.named("history rewritten")
    assert (read.attributes, read.parent) == ({"stockwire.shard": 3, "stockwire.events": 7}, "")
    assert (rewritten.attributes, rewritten.parent) == ({"stockwire.epoch": "an-epoch"}, "")


async def test_a_flush_is_a_child_of_the_first_and_linked_with_all_and_says_since_when(
    tracing: Tracing, receiver: OtlpReceiver
) -> None:
    traced = Traced()
    traced.traces = [place(None) for _ in range(LINKS_MAX + 10)]
    traced.by_level = {("berlin", "A"): traced.traces[0], ("berlin", "B"): traced.traces[1]}
    spans = FeedSpans(tracing)
    span = spans.begin_flush(traced, 0.5)
    assert span is not None
    assert list(traced.by_level.values()) == [span.trace, traced.traces[1]]
    spans.end(span, deliveries=5)
    received = await receiver.wait_for(lambda received: received.spans)
    (flush,) = received.spans
    assert (flush.trace, flush.parent) == (traced.traces[0].trace_id, traced.traces[0].span_id)
    assert flush.links == tuple((one.trace_id, one.span_id) for one in traced.traces[:LINKS_MAX])
    assert flush.end_ns - flush.start_ns >= 500_000_000
    assert (flush.attributes["stockwire.levels"], flush.attributes["stockwire.deliveries"]) == (2, 5)


async def test_where_a_second_has_no_more_room_clients_are_told_the_operations_own_place(
    tracing: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "room", lambda: tracing.sampling.room(1_000.0))  # its clock stands still
    spans = FeedSpans(tracing)
    traced = Traced()
    traced.traces = [place(None)]
    assert [spans.begin_flush(traced, 0.0) is None for _ in range(PER_S + 1)] == [False] * PER_S + [True]
    traced.by_level = {("berlin", "A"): traced.traces[0]}
    assert spans.begin_flush(traced, 0.0) is None
    assert traced.by_level == {("berlin", "A"): traced.traces[0]}
    assert tracing.sampling.limited == 2
    assert spans.begin_repair(0) is not None, "callers leave room for what is always traced"
