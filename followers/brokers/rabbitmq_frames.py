"""What RabbitMQ sends by AMQP 0-9-1, with properties that the library can read.

A message that it cannot read (a header whose name is no UTF-8, a time of the year 9,000,000) ends its connection, and
every one behind that, since the broker delivers it again: no message behind it would ever come. One that it cannot hand
on (a delivery mode of 5, which RabbitMQ 4 takes by AMQP 1.0) would stay in hand for ever.
"""

import asyncio
import struct
from typing import Any, cast

from aio_pika import Connection, DeliveryMode
from aio_pika.message import decode_expiration
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from pamqp.constants import FRAME_HEADER
from pamqp.header import ContentHeader

UNREADABLE = "?"
"""The content type, and the only property, of a message whose own could not be read, where they leave room for it."""
_SIZES_BYTES = 12
"""Of a frame of properties: before them stand the class of the message and the size of its body."""
_CONTENT_TYPE_ALONE, _NO_PROPERTIES = struct.pack(">H", 1 << 15), struct.pack(">H", 0)


class ReadableConnection(Connection):
    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        tls = self.url.scheme == "amqps"
        self.kwargs["transport_factory"] = _Transport(TLSTransportFactory() if tls else TCPTransportFactory())


class _Transport(TransportFactory):
    def __init__(self, opened: TransportFactory) -> None:
        self._opened = opened

    async def create(self, url: Any, **named: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await self._opened.create(url, **named)
        return cast("asyncio.StreamReader", _Reader(reader)), writer


class _Reader:
    """As the library reads: of each frame a byte with its kind, six with its channel and size, and the rest."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._kind = 0

    def at_eof(self) -> bool:
        return self._reader.at_eof()

    async def read(self) -> bytes:
        return await self._reader.read()

    async def readexactly(self, size: int) -> bytes:
        read = await self._reader.readexactly(size)
        if size == 1:
            self._kind = read[0]
        elif self._kind == FRAME_HEADER and size > _SIZES_BYTES:
            read = readable(read)
        return read


def readable(frame: bytes) -> bytes:
    """``frame``: of properties, behind its size. As it is, or as long with another content, where it is unreadable."""
    header = ContentHeader()
    try:
        header.unmarshal(frame[:-1])
        DeliveryMode(header.properties.delivery_mode or DeliveryMode.NOT_PERSISTENT)
        decode_expiration(header.properties.expiration)
    except (struct.error, ValueError, OverflowError, OSError, RecursionError):
        sizes, room = frame[:_SIZES_BYTES], len(frame) - _SIZES_BYTES - 1
        known = _CONTENT_TYPE_ALONE + bytes([len(UNREADABLE)]) + UNREADABLE.encode()
        known = known if len(known) <= room else _NO_PROPERTIES
        return sizes + known + frame[_SIZES_BYTES + len(known) :]
    return frame
