"""The ledger's HTTP API, as processes beside it ask it with a key of their own.

LedgerAway      it does not answer, or not with what was asked for
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import orjson

from server.settings.environment import SettingsError
from server.tls.certificate import trusting

TIMEOUT_S = 10.0
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
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(TIMEOUT_S, read=wait_s + TIMEOUT_S),
            limits=httpx.Limits(max_connections=connections_max, max_keepalive_connections=connections_max),
            verify=trusting(ca_file) if ca_file else url.startswith("https://"),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

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
            answer, content = await self._answer(method, path, parameters, body)
            if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise SettingsError(self._refused)
            if missing is not None and answer.status_code == httpx.codes.NOT_FOUND:
                return missing
            if answer.status_code != httpx.codes.OK:
                raise LedgerAway(f"the ledger answers {answer.status_code}")
            return read(content)
        except httpx.HTTPError as error:
            raise LedgerAway(f"the ledger does not answer ({error or type(error).__name__})") from error
        except ValueError as error:
            raise LedgerAway("the ledger's answer cannot be read") from error

    async def _answer(
        self, method: str, path: str, parameters: Mapping[str, str | int | float] | None, body: Any
    ) -> tuple[httpx.Response, bytes]:
        """The content is not left with the answer: that and its stream hold each other until the collector comes by,
        which let pages of half a megabyte pile up by the hundred."""
        async with self._http.stream(method, path, params=parameters, json=body) as answer:
            return answer, b"".join([part async for part in answer.aiter_bytes()])


def path_of(location: str, sku: str) -> str:
    """Of a level."""
    return f"/v1/levels/{_quoted(location)}/{_quoted(sku)}"


def _quoted(name: str) -> str:
    """``.`` and ``..`` are good names, but HTTP clients and proxies resolve them away, to another path."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
