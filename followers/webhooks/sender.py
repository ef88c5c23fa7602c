"""One message to one URL: over a connection to an address that may be reached, within bounds of time and bytes."""

import asyncio
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from followers.webhooks.addresses import Addresses
from server.version import VERSION

TIMEOUT_S = 15.0
"""For name, connection, request and answer together."""
ANSWER_BYTES_MAX = 4_096
"""Read of an answer; whoever sends more is cut off."""
EXCERPT_CHARACTERS_MAX = 1_024
"""Shown of it to the endpoint's owner."""
KEEP_ALIVE_S = 15.0
LOOKUPS_MAX = 64
"""Names that are looked up at once, each in a thread. Whoever asks for more waits, within the time of the attempt."""
DIGITS_MAX = 18
"""Of ``Retry-After``."""
UNREADABLE = "has a URL that cannot be read"
HEADERS = {"content-type": "application/json", "user-agent": f"Stockwire/{VERSION}"}


class AddressRefused(OSError):
    """What a name led to may not be reached; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """``status``: None if there was no answer; then ``failure`` says why. ``excerpt``: of the answer, printable."""

    status: int | None
    excerpt: str
    retry_after_s: float | None
    failure: str | None
    elapsed_ms: float


class Sender:
    """``timeout_s``: of one attempt. ``ca_file``: of who signs receivers' certificates, instead of the system's.

    Follows no redirect, keeps no cookie, asks no proxy, decodes no content. How many are in flight is for the caller to
    bound. An async context manager.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._addresses = addresses
        self._ca_file = ca_file
        self._timeout_s = timeout_s
        self._resolver = resolver or _Names()
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._ca_file)
        for scheme, addresses in {"https": self._addresses, "http": self._addresses.unencrypted()}.items():
            self._sessions[scheme] = aiohttp.ClientSession(
                connector=_connector(addresses, self._resolver, context),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
                headers=HEADERS,
                skip_auto_headers=("accept-encoding",),
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for session in self._sessions.values():
            await session.close()
        await self._resolver.close()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Never raises for what a receiver, a name or the network does."""
        begun = time.monotonic()
        session = self._sessions["https" if url.lower().startswith("https:") else "http"]
        status, excerpt, retry_after_s, failure = None, "", None, None
        try:
            async with session.post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                status, retry_after_s = answer.status, _seconds(answer.headers.get("retry-after"))
                excerpt = _printable(await _read(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if status is None:  # an answer that breaks off behind its status has said enough
                failure = self._failure(error)
        return Outcome(status, excerpt, retry_after_s, failure, (time.monotonic() - begun) * 1_000)

    def _failure(self, error: Exception) -> str:
        """Without addresses: a name may be known in this network alone."""
        if refused := _refused(error):
            return str(refused)
        if isinstance(error, TimeoutError):
            return f"did not answer within {self._timeout_s:g} s"
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


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    read = bytearray()
    async for chunk in answer.content.iter_any():
        read += chunk
        if len(read) > ANSWER_BYTES_MAX:
            answer.close()
            break
    return bytes(read[:ANSWER_BYTES_MAX])


def _printable(raw: bytes) -> str:
    text = raw.decode("utf-8", "replace")[:EXCERPT_CHARACTERS_MAX]
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _seconds(value: str | None) -> float | None:
    """Of ``Retry-After``: a number of seconds, or a date, which is read as the wait until then."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:DIGITS_MAX])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


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
