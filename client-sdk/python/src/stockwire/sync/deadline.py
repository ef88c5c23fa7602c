"""HTTP connections whose every wait ends at one deadline per thread.

httpx bounds each read by itself, so an answer that drips would hold a thread for ever, and a blocked thread cannot be
cancelled as a task can. This goes through the network backend, which httpcore offers for the purpose: each read and
write is given what is left of the try.
"""

import ssl
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any

import httpcore

WRITE_BYTES_MAX = 16 * 2**10
"""Written at a time: the clock is looked at in between, should the other side read in drips."""


class Deadline(threading.local):
    """Of the calling thread; none outside of `within`."""

    def __init__(self) -> None:
        self._at: float | None = None

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        self._at = time.monotonic() + seconds
        try:
            yield
        finally:
            self._at = None

    def left_s(self, timeout_s: float | None, late: type[httpcore.TimeoutException]) -> float | None:
        """Not more than ``timeout_s``. Raises ``late`` when nothing is left."""
        if self._at is None:
            return timeout_s
        left = self._at - time.monotonic()
        if left <= 0:
            raise late("the time for this try was used up")
        return left if timeout_s is None else min(left, timeout_s)


class DeadlineBackend(httpcore.NetworkBackend):
    """Looking up a name is the operating system's, and bounded by its own settings only."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.left_s(timeout, httpcore.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left_s, local_address, socket_options)
        return _DeadlineStream(stream, self._deadline)

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for begin in range(0, len(buffer), WRITE_BYTES_MAX):
            left_s = self._deadline.left_s(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[begin : begin + WRITE_BYTES_MAX], left_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left_s = self._deadline.left_s(timeout, httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, left_s)
        return _DeadlineStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
