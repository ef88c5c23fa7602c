"""The ledger's HTTP API, as processes beside it ask it with a key of their own.

LedgerAway      it does not answer, or not with what was asked for
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

import aiohttp
import httpx
import orjson
from yarl import URL

from server.settings.environment import SettingsError
from server.tls.certificate import trusting

TIMEOUT_S = 10.0
WHOLE_S = 60.0
"""For a question and its answer together."""
KEEP_ALIVE_S = 5.0
"""Of a connection that nothing is asked over."""
IDS_MAX = 1_000
"""Keys that are asked about at once."""
Event = dict[str, Any]
"""As ``GET /v1/events`` has it."""

Read = TypeVar("Read")


class LedgerAway(Exception):
    """The message says why in a few words."""


class LedgerApi:
    """``wait_s``: how long the ledger may hold back an answer for which there is nothing yet. ``refused``: what to say,
    with the fix, where the key is no good or lacks a scope.

    Use as ``async with``. Raises LedgerAway; SettingsError with ``refused``.
    """

    def __init__(
        self, url: str, key: str, ca_file: Path | None, *, wait_s: float, connections_max: int, refused: str
    ) -> None:
        self._refused = refused
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}"}
        self._timeout = aiohttp.ClientTimeout(total=wait_s + WHOLE_S, connect=TIMEOUT_S, sock_read=wait_s + TIMEOUT_S)
        self._connections_max = connections_max
        encrypted = url.startswith("https://")
        self._trusted = trusting(ca_file) if ca_file else httpx.create_ssl_context() if encrypted else True
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=self._connections_max, ssl=self._trusted, keepalive_timeout=KEEP_ALIVE_S
            ),
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def shards(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/shards")

    async def events(self, shard: int, after: int, limit: int, wait_s: float = 0.0) -> dict[str, Any]:
        return await self.events_as(orjson.loads, shard, after, limit, wait_s)

    async def events_as(
        self, read: Callable[[bytes], Read], shard: int, after: int, limit: int, wait_s: float = 0.0
    ) -> Read:
        """``read``: what makes of the answer's body what its caller needs; raises ValueError where it is another."""
        parameters = {"shard": shard, "after": after, "limit": limit, "wait": wait_s}
        return await self._ask_as(read, "GET", "/v1/events", parameters)

    async def history(self, location: str, sku: str, after: int, limit: int) -> list[Event]:
        """Events of one level behind the version ``after``, oldest first; none if it has never moved."""
        path = f"{path_of(location, sku)}/events"
        answer = await self._ask("GET", path, {"after": after, "limit": limit}, missing={"events": []})
        events: list[Event] = answer["events"]
        return events

    async def key(self, text: str) -> dict[str, Any]:
        """What somebody's key may do: docs/reference/http.md, introspect."""
        return await self._ask("POST", "/v1/keys/introspect", body={"key": text})

    async def good_keys(self, ids: Sequence[str]) -> set[str]:
        good: set[str] = set()
        for at in range(0, len(ids), IDS_MAX):
            answer = await self._ask("POST", "/v1/keys/introspect", body={"ids": [*ids[at : at + IDS_MAX]]})
            good.update(answer["ids"])
        return good

    async def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str | int | float] | None = None,
        body: Any = None,
        missing: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """``missing``: the answer where there is nothing of that name."""
        return await self._ask_as(orjson.loads, method, path, parameters, body, missing)

    async def _ask_as(
        self,
        read: Callable[[bytes], Read],
        method: str,
        path: str,
        parameters: Mapping[str, str | int | float] | None = None,
        body: Any = None,
        missing: Read | None = None,
    ) -> Read:
        """``read``: see ``events_as``."""
        try:
            status, content = await self._answer(method, path, parameters, body)
        except (aiohttp.ClientError, OSError) as error:  # OSError: TimeoutError among them
            raise LedgerAway(f"the ledger does not answer ({str(error) or type(error).__name__})") from error
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            raise SettingsError(self._refused)
        if missing is not None and status == HTTPStatus.NOT_FOUND:
            return missing
        if status != HTTPStatus.OK:
            raise LedgerAway(f"the ledger answers {status}")
        try:
            return read(content)
        except ValueError as error:
            raise LedgerAway("the ledger's answer cannot be read") from error

    async def _answer(
        self, method: str, path: str, parameters: Mapping[str, str | int | float] | None, body: Any
    ) -> tuple[int, bytes]:
        """Its status and content. ``path``: as it is: ``%2E`` would become a dot, and lead elsewhere."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        url = URL(f"{self._url}{path}{query}", encoded=True)
        async with self._http.request(method, url, json=body, allow_redirects=False) as answer:
            return answer.status, await answer.read()


def path_of(location: str, sku: str) -> str:
    """Of a level."""
    return f"/v1/levels/{_quoted(location)}/{_quoted(sku)}"


def _quoted(name: str) -> str:
    """``.`` and ``..`` are good names, but HTTP clients and proxies resolve them away, to another path."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
