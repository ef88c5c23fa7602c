"""What a request body may cost: bytes, counted as they arrive, and time."""

import asyncio
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.codings import unknown_coding
from server.problems import Invalid, TooLarge, UnsupportedEncoding

BODY_DEADLINE_S = 10.0
LENGTHS = {b"content-length", b"transfer-encoding"}
"""A request without either has no body."""
CODINGS = {b"content-encoding", b"transfer-encoding"}
DRAIN_FACTOR = 4
"""What was not read when the answer leaves is read on, and dropped, up to this many times the limit: a client that
still sends while the connection is closed would see a reset and never the answer."""
DRAIN_DEADLINE_S = 2.0


class BodyLimits:
    """Pure ASGI middleware. Whoever reads the body meets TooLarge, UnsupportedEncoding or, if it drips, Invalid (400).

    ``bytes_max_of``: what the body of a request may have. An answer that leaves before the end of the body closes the
    connection: the server would read on for ever.
    """

    def __init__(self, app: ASGIApp, bytes_max_of: Callable[[Scope], int]) -> None:
        self._app = app
        self._bytes_max_of = bytes_max_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (names := {name for name, _ in scope["headers"]}) & LENGTHS:
            coding = unknown_coding(scope["headers"]) if names & CODINGS else None
            bytes_max = self._bytes_max_of(scope)
            body = _Body(receive, send, bytes_max, coding, expects_continue=b"expect" in names)
            await self._app(scope, body.receive, body.send)
        else:
            await self._app(scope, receive, send)


class _Body:
    def __init__(
        self,
        receive: Receive,
        send: Send,
        bytes_max: int,
        coding: tuple[str, str] | None,
        *,
        expects_continue: bool,
    ) -> None:
        self._receive = receive
        self._send = send
        self._bytes_max = bytes_max
        self._ends_at = asyncio.get_running_loop().time() + BODY_DEADLINE_S
        self._bytes = 0
        self._complete = False
        self._answering = False
        self._coding = coding
        self._expects_continue = expects_continue  # nothing is on its way until it is asked for: RFC 9110, 10.1.1

    async def receive(self) -> Message:
        if self._complete or self._answering:
            return await self._receive()
        if self._coding:
            raise UnsupportedEncoding(*self._coding)
        try:
            message = await self._next()
        except TimeoutError:
            raise Invalid("body", f"did not arrive within {BODY_DEADLINE_S:g} s", 400) from None
        if self._bytes > self._bytes_max:
            raise TooLarge(self._bytes_max)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._complete and not self._expects_continue:
                await self._drain()
            if not self._complete:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            self._answering = True
        await self._send(message)

    async def _drain(self) -> None:
        self._ends_at = min(self._ends_at, asyncio.get_running_loop().time() + DRAIN_DEADLINE_S)
        try:
            while not self._complete and self._bytes <= self._bytes_max * DRAIN_FACTOR:
                await self._next()
        except TimeoutError:
            return

    async def _next(self) -> Message:
        self._expects_continue = False
        async with asyncio.timeout_at(self._ends_at):
            message = await self._receive()
        self._bytes += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message
