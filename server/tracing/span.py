"""A span: what was done, from when to when, in which trace. Pure."""

import random
from collections.abc import Sequence
from enum import Enum
from typing import Any

from wire.trace import SAMPLED, Trace

LINKS_MAX = 128
"""Of a span, as OpenTelemetry's own SDKs have it: more are left out."""


class SpanKind(Enum):
    """OpenTelemetry's, by its names."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"
    PRODUCER = "PRODUCER"
    CONSUMER = "CONSUMER"


REMOTE = frozenset((SpanKind.SERVER, SpanKind.CONSUMER))
"""Their parents are of another process."""


class Span:
    """Made only of what is traced. ``trace``: where it stands, which is what its children and others are told.

    ``parent``: None if its trace begins with it. Times in nanoseconds since 1970; ``ended_ns`` is 0 until it is over.
    ``failed``: the type of the error that it ended with.
    """

    __slots__ = ("attributes", "ended_ns", "failed", "kind", "links", "name", "parent", "started_ns", "trace")

    def __init__(
        self,
        name: str,
        kind: SpanKind,
        started_ns: int,
        *,
        parent: Trace | None = None,
        links: Sequence[Trace] = (),
        attributes: dict[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.trace = place(parent)
        self.parent = parent
        self.started_ns = started_ns
        self.ended_ns = 0
        self.links = list(links[:LINKS_MAX])
        self.attributes = attributes or {}
        self.failed: str | None = None

    def link(self, trace: Trace) -> None:
        if len(self.links) < LINKS_MAX:
            self.links.append(trace)

    def child(self, name: str, kind: SpanKind, started_ns: int, attributes: dict[str, Any] | None = None) -> "Span":
        return Span(name, kind, started_ns, parent=self.trace, attributes=attributes)


def place(parent: Trace | None) -> Trace:
    """A new one in the trace of ``parent``, or in a trace of its own."""
    span_id = f"{random.getrandbits(64) or 1:016x}"
    if parent is None:
        return Trace(f"{random.getrandbits(128) or 1:032x}", span_id, SAMPLED)
    return Trace(parent.trace_id, span_id, parent.flags | SAMPLED)
