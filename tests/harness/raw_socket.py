"""A WebSocket client that writes its own bytes, for frames that no well-behaved library would send (RFC 6455)."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.harness.stream import SUBPROTOCOL
from tests.harness.waiting import PATIENCE_S

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


class RawFrame(NamedTuple):
    opcode: int
    payload: bytes
    final: bool

    @property
    def close_code(self) -> int | None:
        return struct.unpack("!H", self.payload[:2])[0] if self.opcode == CLOSE and len(self.payload) >= 2 else None


class _Reader(asyncio.StreamReader):
    """Ends with a reset as with a FIN: what came before it can still be read, as a close frame must be."""

    def set_exception(self, exc: BaseException) -> None:
        self.feed_eof()


class RawSocket:
    """One TCP connection. Every read has a deadline and raises TimeoutError at it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """What has arrived is taken in first: a write may meet the reset that came after it."""
        for _ in range(2):  # the loop polls sockets in the first, and reads them before the second has ended
            await asyncio.sleep(0)
        if self._writer.is_closing():  # uvloop would raise RuntimeError
            raise ConnectionResetError("the connection is lost")
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE_S):
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
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._reader.readuntil(b"\r\n\r\n")
        return int(answer.split()[1])

    async def handshake(self, request: bytes) -> tuple[int, dict[str, str]]:
        """Send any bytes as the opening handshake. Returns the answer's status and headers, their names in lower case.

        Raises IncompleteReadError or ConnectionError when the connection ends without an answer.
        """
        await self.send(request)
        async with asyncio.timeout(PATIENCE_S):
            answer = await self._reader.readuntil(b"\r\n\r\n")
        status, *lines = answer.decode("latin-1").strip().split("\r\n")
        assert status.startswith("HTTP/1.1 "), f"this came before the answer: {answer!r}"
        headers = (line.partition(":") for line in lines)
        return int(status.split()[1]), {name.lower(): value.strip() for name, _, value in headers}

    def end(self) -> None:
        """Send nothing more; reading goes on."""
        self._writer.write_eof()

    async def receive(self) -> RawFrame:
        """Raises IncompleteReadError or ConnectionError when the connection has ended.

        Every frame is held to what a server may send: not masked, no reserved bit without an extension.
        """
        async with asyncio.timeout(PATIENCE_S):
            first, second = await self._reader.readexactly(2)
            assert not first & 0x70, f"reserved bits in {first:#x}"
            assert not second & 0x80, "a server masks nothing (RFC 6455, 5.1)"
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
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    masked: bool = True,
    reserved: int = 0,
    mask: bytes | None = None,
    length_bytes: int | None = None,
) -> bytes:
    """The bytes of one client frame; every rule of RFC 6455 section 5 can be broken.

    ``mask``: four bytes, random unless given. ``length_bytes``: 0, 2 or 8 of extended length, the fewest unless given.
    """
    size = len(payload)
    if length_bytes is None:
        length_bytes = 0 if size < 126 else 2 if size < 65_536 else 8
    short = {0: size, 2: 126, 8: 127}[length_bytes]
    head = bytes(((0x80 if final else 0) | reserved << 4 | opcode, (0x80 if masked else 0) | short))
    head += size.to_bytes(length_bytes, "big") if length_bytes else b""
    if not masked:
        return head + payload
    mask = os.urandom(4) if mask is None else mask
    return head + mask + masked_with(mask, payload)


def masked_with(mask: bytes, payload: bytes) -> bytes:
    """RFC 6455, 5.3; twice is none."""
    size = len(payload)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")


@asynccontextmanager
async def raw_socket(url: str, address: str | None = None) -> AsyncIterator[RawSocket]:
    """A TCP connection to the host and port of a URL, from ``address`` if given; nothing is sent yet."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    reader = _Reader(loop=loop)
    async with asyncio.timeout(PATIENCE_S):
        transport, protocol = await loop.create_connection(
            lambda: asyncio.StreamReaderProtocol(reader, loop=loop),
            parts.hostname or "",
            parts.port or 0,
            local_addr=None if address is None else (address, 0),
        )
    socket = RawSocket(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
    try:
        yield socket
    finally:
        socket.abort()
