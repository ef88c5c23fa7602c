"""What of committing is traced: one span for each commit statement, never one for each operation.

It is a child of the first traced operation in it and linked with all of them, both ways, so that each one's trace leads
there. See docs/decisions/0040-a-batch-is-one-span.md.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ledger.commit.decide import Decision
from ledger.commit.pending import Pending
from server.tracing import names
from server.tracing.span import Span, SpanKind
from server.tracing.tracing import Tracing
from wire.channels import shard_channel
from wire.trace import Trace

SLOW_S = 0.25
"""A batch that took longer says so, and is traced even if none of its operations is: hubs shall show it by then."""


class BatchSpan:
    """Of one try at committing a batch that holds traced operations. ``end`` once: then its spans are handed over."""

    def __init__(
        self, tracing: Tracing, prefix: str, operations: int, traced: Mapping[str, Span], since: float
    ) -> None:
        """``traced``: the spans of requests by the ids of their operations, at least one. ``since``: of the first try,
        by the monotonic clock."""
        self._tracing = tracing
        self._prefix = prefix
        self._traced = traced
        self._since = since
        self._first = first = next(iter(traced.values()))
        attributes = {names.OPERATIONS: operations}
        self._span = first.child(names.BATCH, SpanKind.INTERNAL, time.time_ns(), attributes)
        for span in dict.fromkeys(traced.values()):  # a request of many operations has one
            self._span.link(span.trace)
            if span is not first:
                span.link(self._span.trace)
        self._over: list[Span] = []

    @property
    def trace(self) -> Trace:
        """That of its first operation, of which it is a part."""
        return self._span.trace

    @contextmanager
    def statement(self, decision: Decision) -> Iterator[None]:
        """Around the commit statement."""
        span = self._span.child(
            names.STATEMENT,
            SpanKind.CLIENT,
            time.time_ns(),
            {names.DB_SYSTEM_NAME: names.POSTGRESQL, names.DB_OPERATION_BATCH_SIZE: len(decision.stored)},
        )
        try:
            yield
        except Exception as error:
            span.failed = type(error).__name__
            raise
        finally:
            self._is_over(span)

    @contextmanager
    def publishing(self, shard: int, events: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, str]]:
        """Around it. Yields what the message says of the traces of its operations: what follows the first one's is a
        child of this publishing, and the others' go on in their own traces, which lead here."""
        ids = {event["operation"] for event in events}
        traced = {id_: span for id_, span in self._traced.items() if id_ in ids}
        channel = shard_channel(self._prefix, shard)
        attributes = {
            names.MESSAGING_SYSTEM: names.REDIS,
            names.MESSAGING_DESTINATION_NAME: channel,
            names.MESSAGING_OPERATION_TYPE: names.SEND,
            names.MESSAGING_OPERATION_NAME: names.PUBLISH,
            names.EVENTS: len(events),
        }
        published = self._span.child(f"{names.PUBLISH} {channel}", SpanKind.PRODUCER, time.time_ns(), attributes)
        yield {id_: (published if span is self._first else span).trace.traceparent() for id_, span in traced.items()}
        self._is_over(published)

    def end(self, failed: str | None = None) -> None:
        self._span.failed = failed
        if time.monotonic() - self._since >= SLOW_S:
            self._span.attributes[names.SLOW] = True
        self._is_over(self._span)
        for span in self._over:
            self._tracing.record(span, span.ended_ns)

    def _is_over(self, span: Span) -> None:
        span.ended_ns = time.time_ns()
        self._over.append(span)


class CommitSpans:
    """Of all writers of a process."""

    def __init__(self, tracing: Tracing, prefix: str) -> None:
        """``prefix``: of the broker's channels."""
        self._tracing = tracing
        self._prefix = prefix

    def taken(self, batch: Sequence[Pending], now: float) -> None:
        """They have waited for their writer until ``now``, by the clock that ``Pending.arrived`` is of: each request
        since the first of its operations in this batch, which is in the order of arrival."""
        arrived: dict[Span, float] = {}
        for pending in batch:
            if pending.span is not None:
                arrived.setdefault(pending.span, pending.arrived)
        for span, since in arrived.items():
            ended_ns = time.time_ns()
            waited_ns = int(1e9 * (now - since))
            self._tracing.record(span.child(names.WAIT, SpanKind.INTERNAL, ended_ns - waited_ns), ended_ns)

    def begin(self, batch: Sequence[Pending], since: float) -> BatchSpan | None:
        """None if none of them is traced. ``since``: see ``BatchSpan``."""
        traced = {pending.operation.id: pending.span for pending in batch if pending.span is not None}
        return BatchSpan(self._tracing, self._prefix, len(batch), traced, since) if traced else None

    def took(self, batch: Sequence[Pending], took_s: float) -> None:
        """From first to last, retries included. One that is traced has said so itself."""
        if took_s < SLOW_S or any(pending.span is not None for pending in batch) or not self._tracing.unasked_room():
            return
        ended_ns = time.time_ns()
        attributes = {names.OPERATIONS: len(batch), names.SLOW: True}
        span = Span(names.BATCH, SpanKind.INTERNAL, ended_ns - int(1e9 * took_s), attributes=attributes)
        self._tracing.record(span, ended_ns)
