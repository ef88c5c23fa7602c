"""What a request body may cost the read port: bytes, counted as they arrive, and time."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.problems import Problem
from server.http.codings import unknown_coding

BODY_BYTES_MAX = 256 * 1_024
BODY_DEADLINE_S = 10.0
DRAIN_BYTES_MAX = 4 * BODY_BYTES_MAX
"""Whoever still sends while the connection is closed would see a reset and never the answer: so much is read on."""
DRAIN_DEADLINE_S = 2.0


class BodyLimits:
    """Pure ASGI middleware. Whoever reads a body that is too large, packed or drips meets a Problem.

    An answer that leaves before the end of the body closes the connection: the server would read on for ever.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope.get("headers", ())}
        if scope["type"] == "http" and names & {b"content-length", b"transfer-encoding"}:
            coding = unknown_coding(scope["headers"]) if names & {b"content-encoding", b"transfer-encoding"} else None
            body = _Body(receive, send, coding, waits_for_leave=b"expect" in names)
            await self._app(scope, body.receive, body.send)
        else:
            await self._app(scope, receive, send)


class _Body:
    def __init__(self, receive: Receive, send: Send, coding: tuple[str, str] | None, *, waits_for_leave: bool) -> None:
        self._receive = receive
        self._send = send
        self._ends_at = asyncio.get_running_loop().time() + BODY_DEADLINE_S
        self._coding = coding
        self._bytes = 0
        self._complete = False
        self._answering = False
        self._waits_for_leave = waits_for_leave  # Expect: 100-continue; nothing is on its way until it is asked for

    async def receive(self) -> Message:
        if self._complete or self._answering:
            return await self._receive()
        if self._coding:
            raise unsupported_encoding(*self._coding)
        try:
            message = await self._next()
        except TimeoutError:
            reason = f"did not arrive within {BODY_DEADLINE_S:g} s"
            raise Problem("invalid", f"body: {reason}", 400, field="body", reason=reason) from None
        if self._bytes > BODY_BYTES_MAX:
            raise Problem("too-large", f"the body may have at most {BODY_BYTES_MAX} bytes", bytes_max=BODY_BYTES_MAX)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if not self._complete and not self._waits_for_leave:
                await self._drain()
            if not self._complete:
                message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
            self._answering = True
        await self._send(message)

    async def _drain(self) -> None:
        self._ends_at = min(self._ends_at, asyncio.get_running_loop().time() + DRAIN_DEADLINE_S)
        try:
            while not self._complete and self._bytes <= DRAIN_BYTES_MAX:
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


def unsupported_encoding(header: str, encoding: str) -> Problem:
    """415 for a ``Content-Encoding`` (RFC 9110, 15.5.16), 501 for a ``Transfer-Encoding`` (RFC 9112, 6.1)."""
    detail = f"{header}: {encoding} is not taken, send the body as it is"
    status = 415 if header == "Content-Encoding" else 501
    return Problem("unsupported-encoding", detail, status, header=header, encoding=encoding)
