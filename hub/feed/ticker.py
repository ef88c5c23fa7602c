"""When to flush: once per loop tick in which something came in, however much it was."""

import asyncio
from collections.abc import Callable
from functools import partial

from hub.fanout.fanout import Fanout
from hub.feed.feed_spans import FeedSpans
from server.histogram import Exemplar
from server.tracing.tracing import exemplar_of


class Ticker:
    """``schedule_flush`` after whatever may have changed the fan-out; safe to call any number of times.

    ``flushed`` is called after each flush, to let the loader see what is missing; ``took`` with how long it was since
    the first thing came in, and with a trace that was in it. ``spans``: where flushes are traced.
    """

    def __init__(
        self,
        fanout: Callable[[], Fanout | None],
        flushed: Callable[[], None],
        took: Callable[[float, Exemplar | None], None] = lambda seconds, exemplar: None,
        spans: FeedSpans | None = None,
    ) -> None:
        self._fanout = fanout
        self._flushed = flushed
        self._took = took
        self._spans = spans
        self._scheduled = False
        self._since = 0.0
        self._loop = asyncio.get_running_loop()

    def schedule_flush(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._since = self._loop.time()
            self._loop.call_soon(self._tick)

    def flush_now(self) -> None:
        """For heartbeats, which promise what was flushed."""
        fanout = self._fanout()
        if fanout is None:
            return
        flush = fanout.delivery.flush
        if self._spans is not None and fanout.delivery.traced.traces:
            flush = partial(self._traced_flush, fanout, self._spans)
        if flush():
            self.schedule_flush()

    def _traced_flush(self, fanout: Fanout, spans: FeedSpans) -> bool:
        """What came in has scheduled a flush, so it is known since when it is here."""
        span = spans.begin_flush(fanout.delivery.traced, self._loop.time() - self._since)
        before = fanout.counts.deliveries
        more = fanout.delivery.flush()
        if span is not None:
            spans.end(span, deliveries=fanout.counts.deliveries - before)
        return more

    def _tick(self) -> None:
        self._scheduled = False
        since, fanout = self._since, self._fanout()
        trace = next(iter(fanout.delivery.traced.traces), None) if fanout is not None else None
        self.flush_now()
        self._took(self._loop.time() - since, exemplar_of(trace))
        self._flushed()
