"""What a request body may cost: bytes, counted as they arrive, and time."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.errors import Invalid, TooLarge, UnsupportedEncoding
from ledger.limits import BODY_BYTES_MAX
from server.http.codings import unknown_coding

BODY_DEADLINE_S = 10.0
LIST_FACTOR = 8
"""Lists may be so many times as large, 2 MiB by default: 2 KiB for each of 1,000 items or operations."""
LISTS = frozenset((("PUT", "/v1/items"), ("PUT", "/v1/locations"), ("POST", "/v1/operations")))
LENGTHS = {b"content-length", b"transfer-encoding"}
"""A request without either has no body."""
CODINGS = {b"content-encoding", b"transfer-encoding"}
DRAIN_FACTOR = 4
"""What was not read when the answer leaves is read on, and dropped, up to this many times the limit: a client that
still sends while the connection is closed would see a reset and never the answer."""
DRAIN_DEADLINE_S = 2.0


class BodyLimits:
    """Pure ASGI middleware. Whoever reads the body meets TooLarge, UnsupportedEncoding or, if it drips, Invalid (400).

    An answer that leaves before the end of the body closes the connection.
    """

    def __init__(self, app: ASGIApp, bytes_max: int = BODY_BYTES_MAX, deadline_s: float = BODY_DEADLINE_S) -> None:
        self._app = app
        self._bytes_max = bytes_max
        self._deadline_s = deadline_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (names := {name for name, _ in scope["headers"]}) & LENGTHS:
            bytes_max = self._bytes_max * (LIST_FACTOR if (scope["method"], scope["path"]) in LISTS else 1)
            coding = unknown_coding(scope["headers"]) if names & CODINGS else None
            body = _Body(receive, send, bytes_max, self._deadline_s, coding, waits_for_leave=b"expect" in names)
            await self._app(scope, body.receive, body.send)
        else:
            await self._app(scope, receive, send)


class _Body:
    def __init__(
        self,
        receive: Receive,
        send: Send,
        bytes_max: int,
        deadline_s: float,
        coding: tuple[str, str] | None,
        *,
        waits_for_leave: bool,
    ) -> None:
        self._receive = receive
        self._send = send
        self._bytes_max = bytes_max
        self._deadline_s = deadline_s
        self._ends_at = asyncio.get_running_loop().time() + deadline_s
        self._bytes = 0
        self._complete = False
        self._coding = coding
        self._waits_for_leave = waits_for_leave  # Expect: 100-continue; nothing is on its way until it is asked for

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        if self._coding:
            raise UnsupportedEncoding(*self._coding)
        try:
            message = await self._next()
        except TimeoutError:
            raise Invalid("body", f"did not arrive within {self._deadline_s:g} s", 400) from None
        if self._bytes > self._bytes_max:
            raise TooLarge(self._bytes_max)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and not self._complete:
            if not self._waits_for_leave:
                await self._drain()
            if not self._complete:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        await self._send(message)

    async def _drain(self) -> None:
        self._ends_at = min(self._ends_at, asyncio.get_running_loop().time() + DRAIN_DEADLINE_S)
        try:
            while not self._complete and self._bytes <= self._bytes_max * DRAIN_FACTOR:
                await self._next()
        except TimeoutError:
            return

    async def _next(self) -> Message:
        self._waits_for_leave = False
        async with asyncio.timeout_at(self._ends_at):
            message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message
