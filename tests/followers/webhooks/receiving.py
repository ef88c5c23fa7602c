"""Receivers of webhooks on loopback, and names that lead where a test says."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from aiohttp.abc import AbstractResolver, ResolveResult

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Names(AbstractResolver):
    """A resolver that knows these names alone, and every notation of an address that the system's does."""

    def __init__(self, names: Mapping[str, tuple[str, ...]]) -> None:
        self._names = dict(names)

    def leads_to(self, name: str, *addresses: str) -> None:
        self._names[name] = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = self._names.get(host) or numeric(host)
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


def numeric(host: str) -> list[str]:
    """Raises OSError for a name."""
    found = socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [str(place[0]) for *_, place in found]


class Receiver:
    """Answers every request with ``answer``, byte for byte, and keeps what came. ``reached``: at which of its
    addresses. An answer without a length ends with the connection, if ``closes``."""

    def __init__(self, host: str, tls: ssl.SSLContext | None = None) -> None:
        self.answer = OK
        self.closes = False
        self.requests: list[bytes] = []
        self.reached: list[str] = []
        self._host = host
        self._tls = tls

    @property
    def connections(self) -> int:
        return len(self.reached)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reached.append(writer.get_extra_info("sockname")[0])
        try:
            while request := await _request(reader):
                self.requests.append(request)
                writer.write(self.answer)
                await writer.drain()
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].partition(b":")[2]) if lengths else 0
    return head + await reader.readexactly(length)
