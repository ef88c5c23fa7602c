"""One message to one URL: over a connection to an address that may be reached, within bounds of time and bytes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from followers.outward.addresses import Addresses
from followers.outward.retry_after import seconds_of
from followers.outward.sessions import Sessions
from server.version import VERSION

TIMEOUT_S = 15.0
"""For name, connection, request and answer together."""
ANSWER_BYTES_MAX = 4_096
"""Read of an answer; whoever sends more is cut off."""
EXCERPT_CHARACTERS_MAX = 1_024
"""Shown of it to the endpoint's owner."""
HEADERS = {"content-type": "application/json", "user-agent": f"Stockwire/{VERSION}"}


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

    How many are in flight is for the caller to bound. An async context manager.
    """

    def __init__(
        self,
        addresses: Addresses,
        *,
        ca_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._sessions = Sessions(addresses, HEADERS, ca_file=ca_file, timeout_s=timeout_s, resolver=resolver)

    async def __aenter__(self) -> Self:
        await self._sessions.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sessions.__aexit__(kind, error, trace)

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Never raises for what a receiver, a name or the network does."""
        begun = time.monotonic()
        session = self._sessions.of(url)
        status, excerpt, retry_after_s, failure = None, "", None, None
        try:
            async with session.post(
                URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer:
                status, retry_after_s = answer.status, seconds_of(answer.headers.get("retry-after"))
                excerpt = _printable(await _read(answer))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            if status is None:  # an answer that breaks off behind its status has said enough
                failure = self._sessions.failure(error)
        return Outcome(status, excerpt, retry_after_s, failure, (time.monotonic() - begun) * 1_000)


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
