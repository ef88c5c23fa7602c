"""HTTP connections that send a request's head slowly, endlessly or not at all, or do not read their answer, are closed.

uvicorn alone would wait for them, and gather what they send or do not read, for ever.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_DEADLINE_S = 10.0
"""From the connection, or from the first byte of a later request, to the end of its headers."""
HEAD_BYTES_MAX = 64 * 1024
STALL_S = 30.0
"""For an answer, the largest is a page of 1,000 events (about 500 KB), to leave for a slow reader."""


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's connection, with the bounds above. Between requests uvicorn's own keep-alive timeout holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = False
        self._stall: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_deadline()
        self._end_stall()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = self.loop.call_later(STALL_S, self.transport.abort)

    def resume_writing(self) -> None:
        self._end_stall()
        super().resume_writing()

    def on_message_begin(self) -> None:
        self._in_head = True
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._head_deadline is not None:
            self._end_deadline()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self.send_400_response("The request's headers are too large.")
            elif self._head_deadline is None:
                self._start_deadline()

    def _start_deadline(self) -> None:
        self._head_deadline = self.loop.call_later(HEAD_DEADLINE_S, self.transport.close)

    def _end_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None
