"""The ledger as commands are sent to it: every answer as it is.

By another client than what only asks now and then (``server.http.ledger_api``): a command costs that one three times as
much processor as the ledger.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Self

import aiohttp
import httpx
from yarl import URL

from followers.intake.command import Command
from followers.outward.retry_after import seconds_of
from server.http.ledger_api import LedgerAway
from server.tls.certificate import trusting

CONNECTIONS_MAX = 64
"""To the ledger: commits share a turn, so more of them gain nothing."""
ANSWER_S = 10.0
"""To connect, and for each part of an answer."""
WHOLE_S = 60.0
"""For a command from when it waits for a connection to the end of its answer."""
ANSWER_BYTES_MAX = 16 * 2**20
"""Far above what 1,000 lines are answered with."""


class Reply(NamedTuple):
    """``retry_after_s``: None where it does not say."""

    status: int
    body: bytes
    retry_after_s: float | None


class CommandLedger:
    """Use as ``async with``. Follows no redirect, keeps no cookie."""

    def __init__(self, url: str, key: str, ca_file: Path | None) -> None:
        """Raises SettingsError."""
        self._url = url
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._trusted = trusting(ca_file) if ca_file else httpx.create_ssl_context()
        self._session: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._trusted),
            timeout=aiohttp.ClientTimeout(total=WHOLE_S, sock_connect=ANSWER_S, sock_read=ANSWER_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, command: Command) -> Reply:
        """Raises LedgerAway: then it may have been done or not, and the same key tells."""
        return await self._request(command.method, command.path, command.body, {"Idempotency-Key": command.key})

    async def post(self, path: str, body: bytes) -> Reply:
        """What has its keys in its body. Raises LedgerAway."""
        return await self._request("POST", path, body, {})

    async def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        url = URL(self._url + path, encoded=True)  # as it is: %2E would become a dot, and lead elsewhere
        try:
            async with self._session.request(method, url, data=body, headers=headers, allow_redirects=False) as answer:
                told = bytearray()
                async for part in answer.content.iter_any():
                    told += part
                    if len(told) > ANSWER_BYTES_MAX:
                        raise LedgerAway(f"the ledger's answer has more than {ANSWER_BYTES_MAX:,} bytes")
                return Reply(answer.status, bytes(told), seconds_of(answer.headers.get("Retry-After")))
        except (aiohttp.ClientError, OSError) as error:  # OSError: TimeoutError among them
            raise LedgerAway(f"the ledger does not answer ({str(error) or type(error).__name__})") from error
