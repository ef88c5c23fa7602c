"""docs/reference/websocket-conformance.md, as the tables make it: ``python -m tests.conformance.page`` writes it."""

from itertools import groupby

from tests.conformance.frames import ROWS
from tests.conformance.handshakes import HANDSHAKES
from tests.conformance.rows import page_rows
from tests.harness.source import REFERENCE

PAGE = REFERENCE / "websocket-conformance.md"
HEAD = """# WebSocket conformance
What a hub's stream port does with every kind of frame, good and bad, and what [RFC 6455](https://www.rfc-editor.org/rfc/rfc6455)
asks at that point. A test sends each row as raw bytes to a running hub, holds it to the last column, and finds a
well-behaved client of the same hub unhurt afterwards; another test holds this page to its table. "Stays open" is proven
by a request that is answered afterwards. The limits are the defaults of the [settings](settings.md).

Before every close that is the hub's own decision comes a [`disconnect`](protocol.md#disconnect) with the same code.
Where protocol v1 has a code of its own (4005, 4009, 4102) it stands for the code of the RFC.

The hub differs from the letter of the RFC in three places, all of them for bytes that no correct client sends or needs:

- A length that is written in more bytes than it needs is taken, and one with its highest bit set is too big (4009), not
  a protocol error.
- Text is checked when its message is complete, not byte by byte: one that never ends is never judged.
- A close between the fragments of a message is answered with 1002, since the message was never finished.
"""


def page() -> str:
    parts = [HEAD]
    for name, handshakes in HANDSHAKES.items():
        parts.append("\n".join(["", f"## {name}", *page_rows(handshakes), ""]))
    for name, rows in groupby(ROWS, key=lambda row: row.group):
        parts.append("\n".join(["", f"## {name}", *page_rows(rows), ""]))
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
