"""Traces of what was applied since the last flush. Pure: whoever has spans begins and ends them around the flush."""

from collections.abc import Mapping, Sequence

from wire.messages import Event
from wire.trace import Trace, trace_of


class Traced:
    """Nearly always empty, and again with each flush: what is held of a level is the same with and without traces.

    ``traces``: of operations, in the order in which they were applied. ``by_level``: by location and sku, of the newest
    traced operation that its change tells; what came behind it in the same tick may not be traced.
    """

    __slots__ = ("by_level", "traces")

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.by_level: dict[tuple[str, str], Trace] = {}

    def applied(self, events: Sequence[Event], traceparents: Mapping[str, str]) -> None:
        """``traceparents``: by the ids of operations, as they came with a batch. What is wrong about one is none."""
        read = {id_: trace for id_, text in traceparents.items() if (trace := trace_of(text)) is not None}
        came: dict[Trace, None] = {}
        for event in events:
            if (trace := read.get(event.operation)) is not None:
                self.by_level[event.location, event.sku] = trace
                came[trace] = None
        self.traces += came

    def hand_on(self, within: Trace) -> None:
        """What is told of this trace from now on belongs to the span ``within``."""
        for level, trace in self.by_level.items():
            if trace.trace_id == within.trace_id:
                self.by_level[level] = within

    def clear(self) -> None:
        if self.traces:
            self.traces.clear()
            self.by_level.clear()
