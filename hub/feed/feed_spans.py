"""What of following the ledger is traced: one span for each flush that brings traced changes, never one for each change
or client; and always one for a repair from the log or a rewritten history.
"""

import time

from hub.fanout.traced import Traced
from server.tracing import names
from server.tracing.span import Span, SpanKind
from server.tracing.tracing import Tracing


class FeedSpans:
    """Each ``begin_...`` gives None where this second has no room for more. ``end`` hands a span over."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def begin_flush(self, traced: Traced, since_s: float) -> Span | None:
        """Of what came in during the last ``since_s`` seconds: a child of the first traced operation's publishing and
        linked with all of them. What clients are told of the first trace is a child of this."""
        if not self._tracing.room():
            return None
        first = traced.traces[0]
        attributes = {
            names.MESSAGING_SYSTEM: names.REDIS,
            names.MESSAGING_OPERATION_TYPE: names.PROCESS,
            names.MESSAGING_OPERATION_NAME: names.PROCESS,
            names.LEVELS: len(traced.by_level),
        }
        span = Span(
            names.APPLY,
            SpanKind.CONSUMER,
            time.time_ns() - int(1e9 * since_s),
            parent=first,
            links=traced.traces,
            attributes=attributes,
        )
        traced.hand_on(span.trace)
        return span

    def begin_repair(self, shard: int) -> Span | None:
        return self._begin(names.REPAIR, {names.SHARD: shard})

    def begin_resync(self, epoch: str) -> Span | None:
        """``epoch``: of the history that is dropped."""
        return self._begin(names.RESYNC, {names.EPOCH: epoch})

    def _begin(self, name: str, attributes: dict[str, str | int]) -> Span | None:
        if not self._tracing.unasked_room():
            return None
        return Span(name, SpanKind.INTERNAL, time.time_ns(), attributes=dict(attributes))

    def end(self, span: Span, **counted: int) -> None:
        """``counted``: attributes that are known now, by the names that they have behind ``stockwire.``."""
        span.attributes |= {f"stockwire.{name}": count for name, count in counted.items()}
        self._tracing.record(span)
