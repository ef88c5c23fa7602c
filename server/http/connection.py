"""HTTP connections that send a request's head slowly, endlessly or not at all, or do not read their answer, are closed.

uvicorn alone would wait for them, and gather what they send or do not read, for ever. Ledger and hub build on this.
"""

import asyncio
from typing import Any

import httptools
import orjson
from starlette.types import Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from server.http.cycle import Cycle
from wire.hosts import is_one_host

HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a later request, to the end of its headers."""
HEAD_BYTES_MAX = 16 * 1024
"""Of the request line and all headers."""
HEADERS_MAX = 100
AHEAD_MAX = 16
"""Requests that may be sent before the answer to the first: each is remembered until its turn."""
LINGER_S = 1.0
"""After a head is refused, bytes that still arrive are read and dropped for this long. A connection that is closed
while they arrive is reset, and the client never sees the answer."""
LINGERS_MAX = 100
"""Connections of a process that linger at the same time. Under a flood the others are closed immediately."""
LINE_BYTES = 4
"""Of a header line beside its name and value: a colon, a space, CR and LF."""


class HeadTooLarge(Exception):
    """Ends the parsing at the header that is too large, or one too many."""


class NoHost(Exception):
    """Ends the parsing at a request that does not name its host, or more than one."""


class TooFarAhead(Exception):
    """Ends the parsing at the request that is one too many."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, with the bounds above. Between requests uvicorn's own keep-alive timeout holds.

    ``stall_s``: how long an answer may wait to be read.
    """

    cycle: Cycle
    stall_s = 5.0
    _lingering = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_deadline: asyncio.TimerHandle | None = None
        self._in_head = False
        self._head_bytes = 0
        self._read_bytes = 0
        self._span_bytes = 0
        self._begun = 0
        self._host: bytes | None = None
        self._answered: Cycle | None = None
        self._too_large = False
        self._no_host = False
        self._refused = False
        self._closing: asyncio.TimerHandle | None = None
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_deadline = cancelled(self._head_deadline)
        self._stall = cancelled(self._stall)
        if self._closing is not None:
            self._closing = cancelled(self._closing)
            BoundedConnection._lingering -= 1
        self._unset_keepalive_if_required()
        self.pipeline.clear()
        super().connection_lost(exc)
        if self._answered is not None:  # uvicorn tells the last request alone, which may still wait for its turn
            self._answered.disconnected = True
            self._answered.stir()

    def pause_writing(self) -> None:
        if self.flow is not None:
            super().pause_writing()
        self._stall = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        self._stall = cancelled(self._stall)
        if self.flow is not None:
            super().resume_writing()

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, without a line in the log for whatever somebody sends."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        continues_head, between_requests, heads_before = self._in_head, self.waits(), self._begun
        self._read_bytes = len(data)
        self._span_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # answered as if nobody had asked: RFC 9110, 7.8
        except httptools.HttpParserError:
            self.refuse_head(HEAD_TOO_LARGE if self._too_large else HOST_UNCLEAR if self._no_host else UNREADABLE)
            return
        if self._in_head:
            heads_begun = self._begun - heads_before
            if heads_begun == 0 if continues_head else between_requests and heads_begun == 1:
                self._head_bytes += len(data)  # all of it is of this head: no other request stood in front
            if self._head_bytes > HEAD_BYTES_MAX or self._is_head_too_long():
                self.refuse_head(HEAD_TOO_LARGE)
                return
        if (self._in_head or self.waits()) and self._head_deadline is None and self.timeout_keep_alive_task is None:
            self._start_deadline()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._begun += 1
        self._head_bytes = 0
        self._span_bytes = self._read_bytes
        self.url = b""
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if len(self.headers) >= HEADERS_MAX or (not self._in_head and self._is_head_too_long()):  # behind a body too
            self._too_large = True
            raise HeadTooLarge
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """As uvicorn's, which makes all that an app may ask for, and looks for upgrades, of which we have none."""
        named = dict(self.headers)
        if self._is_head_too_long():
            self._too_large = True
            raise HeadTooLarge
        self._check_host(named)
        if len(self.pipeline) >= AHEAD_MAX:
            raise TooFarAhead
        self.expect_100_continue = b"expect" in named and any(
            name == b"expect" and value.lower() == b"100-continue" for name, value in self.headers
        )
        before, self.cycle = self.cycle, Cycle(self, named)
        self._in_head = False  # not before: a target that is none is answered as a head, which it is
        self._head_deadline = cancelled(self._head_deadline)
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_body(self, body: bytes) -> None:
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.body += body
            if len(cycle.body) > HIGH_WATER_LIMIT:
                self.flow.pause_reading()
            cycle.stir()

    def on_message_complete(self) -> None:
        if not self.cycle.response_complete:
            self.cycle.more_body = False
            self.cycle.stir()

    def _start_asgi_task(self, cycle: Cycle, app: Any) -> None:  # type: ignore[override]  # all cycles are ours
        self._answered = cycle
        super()._start_asgi_task(cycle, unframed(cycle, app))

    def waits(self) -> bool:
        """Whether the connection waits for a request, or for the rest of its head: none is under way."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _is_head_too_long(self) -> bool:
        """Counts what the parser has read of this head, if what came since it began may hold so much: ``data_received``
        may get several heads at once, and bodies."""
        if self._span_bytes <= HEAD_BYTES_MAX:
            return False
        of_headers = sum(len(name) + len(value) + LINE_BYTES for name, value in self.headers)
        return len(self.url) + of_headers > HEAD_BYTES_MAX

    def _check_host(self, named: dict[bytes, bytes]) -> None:
        """Proxies in front of us and we might take different ones for the host that is meant."""
        host = named.get(b"host")
        if host is not None and host == self._host and len(named) == len(self.headers):
            return  # as in the request before
        hosts = [value.decode("latin-1") for name, value in self.headers if name == b"host"]
        if not is_one_host(hosts, required=self.parser.get_http_version() == "1.1"):
            self._no_host = True
            raise NoHost
        self._host = host

    def _start_deadline(self) -> None:
        self._head_deadline = self.loop.call_later(HEAD_DEADLINE_S, self.end_slow_head)

    def stop_reading(self) -> None:
        """What comes from now on is dropped."""
        self._refused = True

    def end_slow_head(self) -> None:
        self.transport.close()

    def refuse_head(self, answer: bytes) -> None:
        """``answer``: HEAD_TOO_LARGE, HOST_UNCLEAR or UNREADABLE."""
        if self.waits():
            self.refuse(answer)
        elif self._in_head or self.pipeline or self.cycle.response_started:
            self.transport.abort()  # the answer would be taken for that of the request under way
        else:
            self.cycle.disconnected = True  # its body cannot be read: the app is told that the client is gone
            self.cycle.stir()
            self.refuse(answer)

    def refuse(self, answer: bytes) -> None:
        """Answer, read nothing more, and close."""
        self._refused = True
        self._head_deadline = cancelled(self._head_deadline)
        self.transport.write(answer)
        if self.transport.can_write_eof() and BoundedConnection._lingering < LINGERS_MAX:
            self.transport.write_eof()
            BoundedConnection._lingering += 1
            self._closing = self.loop.call_later(LINGER_S, self.transport.close)
        else:
            self.transport.close()


def unframed(cycle: Cycle, app: Any) -> Any:
    """For HTTP/1.0, which knows no chunks: an answer without a length ends where the connection does (RFC 9112, 6.3).

    uvicorn would send it in chunks. It is told a length instead, which is that of each piece when that is written.
    """
    if cycle.http_version != "1.0":
        return app

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        has_length = True

        async def send_unframed(message: Message) -> None:
            nonlocal has_length
            if message["type"] == "http.response.start":
                has_length = any(name.lower() == b"content-length" for name, _ in message["headers"])
            if not has_length:
                cycle.chunked_encoding = False
                cycle.expected_content_length = len(message.get("body", b""))
            await send(message)

        await app(scope, receive, send_unframed)

    return answered


def cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """What stands in the timer's place from now on: nothing."""
    if timer is not None:
        timer.cancel()
    return None


def whole_answer(status: int, problem: dict[str, Any], *headers: bytes) -> bytes:
    """A problem document, after which the connection is closed."""
    body = orjson.dumps(problem)
    lines = (
        b"content-type: application/problem+json",
        b"content-length: %d" % len(body),
        b"connection: close",
        *headers,
    )
    return STATUS_LINE[status] + b"\r\n".join(lines) + b"\r\n\r\n" + body


HEAD_TOO_LARGE = whole_answer(
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
HOST_UNCLEAR = whole_answer(
    400,
    {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "a request names its host in exactly one Host header (RFC 9112, 3.2)",
    },
)
UNREADABLE = whole_answer(400, {"type": "about:blank", "title": "Bad Request", "status": 400})
