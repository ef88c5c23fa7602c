"""HTTP connections that send a request's head slowly, endlessly or not at all, or do not read their answer, are closed.

uvicorn alone would wait for them, and gather what they send or do not read, for ever.
"""

import asyncio
from typing import Any

import httptools
import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ledger.connection_table import ConnectionTable
from ledger.hub_callers import HubCallers
from wire.problems import PROBLEMS

HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a later request, to the end of its headers."""
HEAD_BYTES_MAX = 16 * 1024
"""Of the request line and all headers."""
HEADERS_MAX = 100
AHEAD_MAX = 16
"""Requests that may be sent before the answer to the first: each is remembered until its turn."""
STALL_S = 30.0
"""For an answer, the largest is a page of 1,000 events (about 500 KB), to leave for a slow reader."""
LINGER_S = 1.0
"""What is still on its way when a connection is refused is read and dropped for so long: closing before would turn the
answer into a reset."""
LINE_BYTES = 4
"""Of a header line beside its name and value: a colon, a space, CR and LF."""


LINGERS_MAX = 100
"""Connections that linger at once: under a flood the others are closed at once."""


class HeadTooLarge(Exception):
    """Ends the parsing at the header that is too large, or one too many."""


class TooFarAhead(Exception):
    """Ends the parsing at the request that is one too many."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, with the bounds above. Between requests uvicorn's own keep-alive timeout holds.

    ``table`` counts it with the others; ``hub_callers`` tells whether it is a hub's.
    """

    def __init__(self, *args: Any, table: ConnectionTable, hub_callers: HubCallers, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = ""
        self._table = table
        self._hub_callers = hub_callers
        self._head_deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._parsed_bytes = 0
        self._begun = 0
        self._too_large = False
        self._refused = False
        self._closing: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        peer = transport.get_extra_info("peername")
        self.address = self._table.counted(str(peer[0])) if peer else ""
        if not self._table.admit(self):
            self.transport = transport
            self._refuse(OVERLOADED)
            return
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._table.remove(self)
        self._end_deadline()
        self._stall = _cancelled(self._stall)
        if self._closing is not None:
            self._closing = _cancelled(self._closing)
            self._table.lingering -= 1
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        if self.flow is not None:
            super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._stall = _cancelled(self._stall)
        if self.flow is not None:
            super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, without a line in the log for whatever somebody sends."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        goes_on, from_start, heads_before = self._in_head, self._waits(), self._begun
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered as if nobody had asked: RFC 9110, 7.8
        except httptools.HttpParserError:
            self._refuse_head(HEAD_TOO_LARGE if self._too_large else UNREADABLE)
            return
        if self._in_head:
            if self._begun == heads_before + (from_start and not goes_on):  # else others were in front of it
                self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse_head(HEAD_TOO_LARGE)
                return
        if (self._in_head or self._waits()) and self._head_deadline is None and self.timeout_keep_alive_task is None:
            self._start_deadline()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._begun += 1
        self._head_bytes = 0
        self._parsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + LINE_BYTES)
        if len(self.headers) >= HEADERS_MAX:
            self._too_large = True
            raise HeadTooLarge
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._end_deadline()
        if len(self.pipeline) >= AHEAD_MAX:
            raise TooFarAhead
        self._table.begin(self)
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._waits():
            self._table.end(self)

    def is_of_hub(self) -> bool:
        return self.cycle is not None and self._hub_callers.know(self.cycle.scope["headers"])

    def make_room(self) -> None:
        self._refused = True
        self.transport.close()

    def _waits(self) -> bool:
        """For a request, or the rest of its head: nothing is under way."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _count(self, bytes_: int) -> None:
        """What the parser has seen of this head, however much came at once."""
        self._parsed_bytes += bytes_
        if self._parsed_bytes > HEAD_BYTES_MAX:
            self._too_large = True
            raise HeadTooLarge

    def _start_deadline(self) -> None:
        self._head_deadline = self.loop.call_later(HEAD_DEADLINE_S, self._end_slow_head)

    def _end_deadline(self) -> None:
        self._head_deadline = _cancelled(self._head_deadline)

    def _end_slow_head(self) -> None:
        self._table.turned_away["head_time"] += 1
        self.transport.close()

    def _refuse_head(self, answer: bytes) -> None:
        self._table.turned_away["head_size" if answer is HEAD_TOO_LARGE else "unreadable"] += 1
        if self._waits():
            self._refuse(answer)
        elif self._in_head or self.pipeline or self.cycle.response_started:
            self.transport.abort()  # the answer would be taken for that of the request under way
        else:
            self.cycle.disconnected = True  # its body made no sense: whoever reads it is told that nobody listens
            self.cycle.message_event.set()
            self._refuse(answer)

    def _refuse(self, answer: bytes) -> None:
        self._refused = True
        self._end_deadline()
        self.transport.write(answer)
        if self.transport.can_write_eof() and self._table.lingering < LINGERS_MAX:
            self.transport.write_eof()
            self._table.lingering += 1
            self._closing = self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """What stands in the timer's place from now on: nothing."""
    if timer is not None:
        timer.cancel()
    return None


def _whole_answer(status: int, problem: dict[str, Any], *headers: bytes) -> bytes:
    body = orjson.dumps(problem)
    lines = (
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
        *headers,
    )
    return STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body


OVERLOADED = _whole_answer(
    503,
    {
        "type": "overloaded",
        "title": PROBLEMS["overloaded"][1],
        "status": 503,
        "detail": "no connection is free",
        "retry_after_s": 1,
    },
    b"retry-after: 1",
)
HEAD_TOO_LARGE = _whole_answer(
    431,
    {
        "type": "about:blank",
        "title": "Request Header Fields Too Large",
        "status": 431,
        "detail": f"the request line and headers may have {HEAD_BYTES_MAX} bytes and {HEADERS_MAX} headers",
        "bytes_max": HEAD_BYTES_MAX,
        "headers_max": HEADERS_MAX,
    },
)
UNREADABLE = _whole_answer(400, {"type": "about:blank", "title": "Bad Request", "status": 400})
