"""A WebSocket for one greenlet: websockets' sans-I/O protocol on a plain blocking socket.

Not `websockets.sync`: its reading thread polls a socket that another one may close, and gevent's event loop aborts the
whole process when a descriptor is closed that is still polled. Here one greenlet reads, writes and closes.
"""

import socket
import ssl
import time
from collections import deque
from types import TracebackType
from typing import Self

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from stockwire.frame import SUBPROTOCOL

RECEIVE_BYTES = 65_536
MESSAGE_BYTES_MAX = 8 * 2**20
"""Far above any part of a snapshot; a bound all the same."""
SEND_TIMEOUT_S = 10.0


class WebSocket:
    """Open when constructed; use as a context manager. Raises OSError or WebSocketException, here and below."""

    def __init__(self, url: str, timeout_s: float) -> None:
        uri = parse_uri(url)
        self._messages: deque[bytes] = deque()
        self._fragments: list[bytes] = []
        self._protocol = ClientProtocol(uri, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=MESSAGE_BYTES_MAX)
        self._socket = socket.create_connection((uri.host, uri.port), timeout_s)
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if uri.secure:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=uri.host)
            self._upgrade(time.monotonic() + timeout_s)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        self._flush()

    def receive(self, timeout_s: float) -> bytes:
        """The next message. Raises TimeoutError if none is whole within ``timeout_s``."""
        ends = time.monotonic() + timeout_s
        while not self._messages:
            self._read(ends)
        return self._messages.popleft()

    def close(self) -> None:
        """Says goodbye and does not wait for the answer, as a browser tab does. Safe twice."""
        try:
            if self._protocol.state is State.OPEN:
                self._protocol.send_close(1001)
                self._flush()
        except OSError:
            pass  # it was gone already
        self._socket.close()

    def _upgrade(self, ends: float) -> None:
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        while self._protocol.state is State.CONNECTING:
            self._read(ends)
            if self._protocol.handshake_exc is not None:
                raise self._protocol.handshake_exc

    def _read(self, ends: float) -> None:
        left_s = ends - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("nothing heard for too long")
        self._socket.settimeout(left_s)
        data = self._socket.recv(RECEIVE_BYTES)
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._flush()  # a pong, or the answer to a close
        for event in self._protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self._frame(event)
        if not self._messages and self._protocol.state in (State.CLOSING, State.CLOSED):
            self._protocol.receive_eof()
            raise self._protocol.handshake_exc or self._protocol.close_exc

    def _frame(self, frame: Frame) -> None:
        self._fragments.append(bytes(frame.data))
        if frame.fin:
            self._messages.append(b"".join(self._fragments))
            self._fragments.clear()

    def _flush(self) -> None:
        """An empty piece means that nothing follows: the socket is closed soon anyway."""
        data = b"".join(self._protocol.data_to_send())
        if data:
            self._socket.settimeout(SEND_TIMEOUT_S)
            self._socket.sendall(data)
