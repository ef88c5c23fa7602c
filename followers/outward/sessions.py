"""Connections to places outside: each address is checked at the moment of the connect, within bounds of time.

AddressRefused  what a name led to may not be reached
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from followers.outward.addresses import Addresses

KEEP_ALIVE_S = 15.0
LOOKUPS_MAX = 64
"""Names that are looked up at once, each in a thread. Whoever asks for more waits, within the time of the attempt."""
UNREADABLE = "has a URL that cannot be read"


class AddressRefused(OSError):
    """The message says why."""


class Sessions:
    """``timeout_s``: of one request, for name, connection, request and answer together. ``ca_file``: of who signs
    certificates there, instead of the system's. ``headers``: of every request.

    Follow no redirect unless asked to, keep no cookie, ask no proxy, decode no content. How many requests are under way
    is for the caller to bound. An async context manager.
    """

    def __init__(
        self,
        addresses: Addresses,
        headers: Mapping[str, str],
        *,
        ca_file: Path | None = None,
        timeout_s: float,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._addresses = addresses
        self._headers = headers
        self._ca_file = ca_file
        self.timeout_s = timeout_s
        self._resolver = resolver or _Names()
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._ca_file)
        for scheme, addresses in {"https": self._addresses, "http": self._addresses.unencrypted()}.items():
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=_connector(addresses, self._resolver, context),
                timeout=aiohttp.ClientTimeout(total=self.timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers=self._headers,
                skip_auto_headers=("accept-encoding",),
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        await self._resolver.close()

    def of(self, url: str) -> aiohttp.ClientSession:
        return self._sessions["https" if url.lower().startswith("https:") else "http"]

    def failure(self, error: Exception) -> str:
        """What went wrong, behind the name of a place. Without addresses: a name may be known in this network alone."""
        if refused := _refused(error):
            return str(refused)
        if isinstance(error, TimeoutError):
            return f"did not answer within {self.timeout_s:g} s"
        if isinstance(error, aiohttp.InvalidURL):
            return UNREADABLE
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return f"has a certificate that is not trusted: {_why_not_trusted(error.certificate_error)}"
        if isinstance(error, aiohttp.ClientConnectorDNSError):
            return "has a name that cannot be resolved"
        if isinstance(error, aiohttp.ClientSSLError):
            return "does not speak TLS as it should"
        if isinstance(error, aiohttp.ClientConnectorError):
            return "cannot be connected to"
        return "did not answer in HTTP, or broke off"


class _Names(AbstractResolver):
    """Looks names up in threads of its own: names that hang must not keep ledger and database from being connected."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="name")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(place[0]),
                port=int(place[1]),
                family=known,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for known, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class _CheckedResolver(AbstractResolver):
    """Only what may be reached of what a name leads to."""

    def __init__(self, addresses: Addresses, resolver: AbstractResolver) -> None:
        self._addresses = addresses
        self._resolver = resolver

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        refusals = [self._addresses.refusal(one["host"], port) for one in found]
        if refusals and all(refusals):
            raise AddressRefused(refusals[0])
        return [one for one, refusal in zip(found, refusals, strict=True) if not refusal]

    async def close(self) -> None:
        await self._resolver.close()


def _connector(addresses: Addresses, resolver: AbstractResolver, context: ssl.SSLContext) -> aiohttp.TCPConnector:
    def checked_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        """The last word before the connect: literal addresses never met the resolver."""
        family, kind, protocol, _, place = info
        if refusal := addresses.refusal(str(place[0]), int(place[1])):
            raise AddressRefused(refusal)
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    return aiohttp.TCPConnector(
        limit=0,
        use_dns_cache=False,  # each connection asks anew
        resolver=_CheckedResolver(addresses, resolver),
        socket_factory=checked_socket,
        ssl=context,
        keepalive_timeout=KEEP_ALIVE_S,
    )


def _refused(error: BaseException | None) -> AddressRefused | None:
    """The refusal that ``error`` stands for: aiohttp wraps it, and several addresses make a group of them."""
    while error is not None:
        if isinstance(error, AddressRefused):
            return error
        if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, AddressRefused):
            return error.os_error
        error = error.__cause__ or error.__context__
    return None


def _why_not_trusted(error: Exception) -> str:
    return getattr(error, "verify_message", "") or "cannot be verified"
