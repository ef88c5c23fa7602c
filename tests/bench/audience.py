"""Many WebSocket subscribers in one cheap process: raw sockets, one selector, frames counted without parsing them."""

import base64
import json
import os
import selectors
import socket
import struct
import time

MARK = b'"type":"level"'
HANDSHAKE_DONE = b"\r\n\r\n"
SNAPSHOT_DONE = b'"last":true'
CONNECT_DEADLINE_S = 60.0
SUBPROTOCOL = "stockwire.v1"


class Audience:
    """``size`` connections to a stream URL, each subscribed to one sku; ``await_deliveries`` counts what arrives.

    Blocking: runs in the bench's own process while the server under test runs in another.
    """

    def __init__(self, host: str, port: int, *, mark: bytes = MARK) -> None:
        self._address = (host, port)
        self._mark = mark
        self._selector = selectors.DefaultSelector()
        self._sockets: list[socket.socket] = []

    def connect_stream(self, size: int, token: str, location: str, sku: str) -> None:
        """Handshake, authenticate, subscribe, and read until each snapshot is complete."""
        self.connect(size, "/v1/stream", stream_opening(token, location, [sku]), SNAPSHOT_DONE)

    def connect(self, size: int, path: str, opening: bytes, ready: bytes) -> None:
        """Each shakes hands at ``path``, sends ``opening``, and is there when it has heard ``ready``."""
        for _ in range(size):
            connection = socket.create_connection(self._address, timeout=CONNECT_DEADLINE_S)
            connection.sendall(upgrade(self._address, path))
            _read_until(connection, HANDSHAKE_DONE)
            connection.sendall(opening)
            _read_until(connection, ready)
            self._keep(connection)

    def connect_bare(self, size: int) -> None:
        for _ in range(size):
            self._keep(socket.create_connection(self._address, timeout=CONNECT_DEADLINE_S))

    def await_deliveries(self, number: int, deadline_s: float) -> float:
        """Until ``number`` marks have arrived over all connections. Returns when (monotonic seconds)."""
        deadline = time.monotonic() + deadline_s
        seen = 0
        while seen < number:
            for key, _ in self._selector.select(max(0.0, deadline - time.monotonic())):
                seen += key.data.recv(262_144).count(self._mark)
            if time.monotonic() > deadline:
                raise TimeoutError(f"{seen} of {number} deliveries arrived in {deadline_s} s")
        return time.monotonic()

    def close(self) -> None:
        self._selector.close()
        for connection in self._sockets:
            connection.close()

    def _keep(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._sockets.append(connection)
        self._selector.register(connection, selectors.EVENT_READ, connection)


def upgrade(address: tuple[str, int], path: str = "/v1/stream") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: {SUBPROTOCOL}\r\n\r\n"
    ).encode()


def stream_opening(token: str, location: str, skus: list[str]) -> bytes:
    """What a subscriber of ``skus`` says to a hub after the handshake."""
    subscribe = frame({"type": "subscribe", "id": 2, "location": location, "skus": skus})
    return frame({"type": "connect", "id": 1, "token": token}) + subscribe


def frame(message: dict[str, object]) -> bytes:
    return frame_of(json.dumps(message).encode())


def frame_of(payload: bytes, *, binary: bool = False) -> bytes:
    """A masked frame (RFC 6455, section 5.2); a mask of zeros leaves the payload as it is."""
    length = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return (b"\x82" if binary else b"\x81") + length + b"\0\0\0\0" + payload


def _read_until(connection: socket.socket, mark: bytes) -> None:
    """All that comes until then; nothing for an empty mark."""
    data = b""
    while mark not in data:
        piece = connection.recv(65_536)
        if not piece:
            raise ConnectionError(f"closed before {mark!r}: {data[-300:]!r}")
        data = data[-1000:] + piece
