"""Trace contexts in the header ``traceparent`` of W3C Trace Context (level 2, section 3.2). Pure.

It comes from outside, so whatever is wrong about one counts as if there were none: nothing is refused for it.
"""

import re
from typing import NamedTuple

SAMPLED = 1
"""Of the flags: whoever sends it may have recorded it."""
TRACEPARENT_CHARACTERS = 55

_FIELDS = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


class Trace(NamedTuple):
    """A place in a trace: the trace, and the span in it that what follows is a child of.

    ``trace_id`` of 32, ``span_id`` of 16 digits, in lower case, neither of zeros alone. ``flags``: one byte.
    """

    trace_id: str
    span_id: str
    flags: int

    @property
    def sampled(self) -> bool:
        return bool(self.flags & SAMPLED)

    def traceparent(self) -> str:
        """As version 00, which every reader reads. It has two flags; the others are not ours to pass on."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags & 3:02x}"


def trace_of(traceparent: str) -> Trace | None:
    """None if it is none: then the trace begins here. A higher version is read by what version 00 has of it."""
    if len(traceparent) > TRACEPARENT_CHARACTERS:
        later = traceparent[:2] != "00" and traceparent[TRACEPARENT_CHARACTERS] == "-"
        traceparent = traceparent[:TRACEPARENT_CHARACTERS] if later else ""
    match = _FIELDS.fullmatch(traceparent)
    if match is None:
        return None
    trace_id, span_id, flags = match.groups()
    return Trace(trace_id, span_id, int(flags, 16))
