"""A WebSocket client that writes its own bytes, for frames that no well-behaved library would send (RFC 6455)."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.stream import SUBPROTOCOL

DEADLINE_S = 10.0
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class RawFrame(NamedTuple):
    opcode: int
    payload: bytes
    final: bool

    @property
    def close_code(self) -> int | None:
        return struct.unpack("!H", self.payload[:2])[0] if self.opcode == CLOSE and len(self.payload) >= 2 else None


class RawSocket:
    """One TCP connection. Every read has a deadline and raises TimeoutError at it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(DEADLINE_S):
            await self._writer.drain()

    async def upgrade(self, url: str, headers: dict[str, str] | None = None, *, without: str = "") -> int:
        """Send the opening handshake; ``without``: a header to leave out. Returns the HTTP status of the answer."""
        parts = urlsplit(url)
        sent = {
            "Host": parts.netloc,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": SUBPROTOCOL,
            **(headers or {}),
        }
        sent.pop(without, None)
        lines = [f"GET {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        await self.send("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(DEADLINE_S):
            answer = await self._reader.readuntil(b"\r\n\r\n")
        return int(answer.split()[1])

    async def receive(self) -> RawFrame:
        """Raises IncompleteReadError or ConnectionError when the connection has ended."""
        async with asyncio.timeout(DEADLINE_S):
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length = struct.unpack("!H", await self._reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack("!Q", await self._reader.readexactly(8))[0]
            return RawFrame(first & 0x0F, await self._reader.readexactly(length), bool(first & 0x80))

    async def closed(self) -> int | None:
        """Read until the end. Returns the close code that came; None if there was no close frame."""
        code = None
        try:
            while True:
                frame = await self.receive()
                code = frame.close_code or code
        except (asyncio.IncompleteReadError, ConnectionError):
            return code

    def abort(self) -> None:
        self._writer.transport.abort()


def raw_frame(
    opcode: int, payload: bytes = b"", *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """The bytes of one client frame; every rule of RFC 6455 section 5 can be broken."""
    first = (0x80 if final else 0) | reserved << 4 | opcode
    mask_bit = 0x80 if masked else 0
    if len(payload) < 126:
        head = struct.pack("!BB", first, mask_bit | len(payload))
    elif len(payload) < 65_536:
        head = struct.pack("!BBH", first, mask_bit | 126, len(payload))
    else:
        head = struct.pack("!BBQ", first, mask_bit | 127, len(payload))
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))


@asynccontextmanager
async def raw_socket(url: str) -> AsyncIterator[RawSocket]:
    """A TCP connection to the host and port of a URL; nothing is sent yet."""
    parts = urlsplit(url)
    async with asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    socket = RawSocket(reader, writer)
    try:
        yield socket
    finally:
        socket.abort()
