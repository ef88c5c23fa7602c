"""What a table of conformance is made of, and how it reads on its page."""

from collections.abc import Iterable
from dataclasses import dataclass

GONE = 0
"""Instead of a close code: the connection ended without a close frame."""
STAYS = None


@dataclass(frozen=True, slots=True)
class Row:
    """``chunks`` are sent one after the other on an open WebSocket; ``ends``: nothing more is sent after them.

    ``section``: of RFC 6455; ``asks``: what stands there. What the hub does: ``code``, ``replies`` (the ids of the
    requests answered, in order) and ``pongs`` (their payloads, in order).
    """

    group: str
    name: str
    chunks: tuple[bytes, ...]
    section: str
    asks: str
    code: int | None
    replies: tuple[int, ...] = ()
    pongs: tuple[bytes, ...] = ()
    ends: bool = False

    @property
    def answer(self) -> str:
        answered = [f"answers request {', '.join(map(str, self.replies))}"] if self.replies else []
        if self.pongs:
            count = f"{len(self.pongs)} times, " if len(self.pongs) > 1 else ""
            answered.append(f"pong, {count}{' and '.join(f'{len(pong)} bytes' for pong in dict.fromkeys(self.pongs))}")
        if self.code is STAYS:
            return "; ".join([*answered, "stays open"])
        return "; ".join([*answered, "ends without a close frame" if self.code == GONE else f"closes {self.code}"])


@dataclass(frozen=True, slots=True)
class Handshake:
    """``request``: the bytes sent on a new connection. ``status``: of the answer; GONE if it ends without one.

    ``headers``: some that the answer must have. ``after``: what becomes of frames that were sent with the request.
    """

    name: str
    request: bytes
    section: str
    asks: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    after: Row | None = None

    @property
    def answer(self) -> str:
        if self.after is not None:
            return f"{self.status}, then as after it: {self.after.answer}"
        said = "".join(f", `{name}: {value}`" for name, value in self.headers)
        return f"{self.status}{said}" if self.status else "ends without an answer"


def page_rows(rows: Iterable[Row | Handshake]) -> list[str]:
    """As Markdown."""
    head = ["| Case | RFC 6455 | It asks | The hub |", "|---|---|---|---|"]
    return [*head, *(f"| {row.name} | {row.section} | {row.asks} | {row.answer} |" for row in rows)]
