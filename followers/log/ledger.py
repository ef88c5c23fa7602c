"""What a follower asks the ledger, with its own key: pages of the log, histories and levels, and which keys are good.

LedgerAway      it does not answer, or not with what was asked for
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx
import orjson

from server.settings.environment import SettingsError
from server.tls.certificate import trusting

TIMEOUT_S = 10.0
WAIT_S = 5.0
"""How long the ledger holds back an answer for which there is nothing yet. Who only waits is told of another epoch at
its end."""
CONNECTIONS_MAX = 160
"""One for each of up to 64 shards, which wait, and as many for whoever catches up, and some for histories."""
LEVELS_PAGE = 5_000
KEYS_MAX = 1_000
"""Levels of one question."""
IDS_MAX = 1_000
"""Keys that are asked about at once."""
KEY = "STOCKWIRE_CHANNELS_KEY"
SCOPES = ("hub",)
"""What the key needs: to read everything, and to ask which keys are good."""
MAKE_KEY = "stockwire key create channels --scope hub"
Event = dict[str, Any]
"""As ``GET /v1/events`` has it."""


class LedgerAway(Exception):
    """The message says why in a few words."""


class Ledger:
    """Use as ``async with``. Raises LedgerAway; SettingsError if the key is no good, or lacks a scope."""

    def __init__(
        self, url: str, key: str, ca_file: Path | None = None, *, setting: str = KEY, make_key: str = MAKE_KEY
    ) -> None:
        """``setting``: where ``key`` comes from; ``make_key``: the command by which one is made that will do."""
        self._key = key
        self._refused = f"{setting} is no key that may do this: make one with `{make_key}`"
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(TIMEOUT_S, read=WAIT_S + TIMEOUT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            verify=trusting(ca_file) if ca_file else url.startswith("https://"),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def shards(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/shards")

    async def events(self, shard: int, after: int, limit: int, wait_s: float = 0.0) -> dict[str, Any]:
        return await self._ask("GET", "/v1/events", {"shard": shard, "after": after, "limit": limit, "wait": wait_s})

    async def history(self, location: str, sku: str, after: int, limit: int) -> list[Event]:
        """Events of one level behind the version ``after``, oldest first; none if it has never moved."""
        path = f"/v1/levels/{_quoted(location)}/{_quoted(sku)}/events"
        answer = await self._ask("GET", path, {"after": after, "limit": limit}, missing={"events": []})
        events: list[Event] = answer["events"]
        return events

    async def levels(self, after: str | None, limit: int = LEVELS_PAGE) -> dict[str, Any]:
        """A page of all that have moved, behind the cursor ``after``, with epoch and heads. ``limit``: 1,000 at most
        for a key without the scope ``hub``."""
        parameters: dict[str, str | int | float] = (
            {"limit": limit} if after is None else {"limit": limit, "after": after}
        )
        return await self._ask("GET", "/v1/levels", parameters)

    async def some_levels(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        """Of location and sku, in that order; what never moved has 0 of all."""
        found: list[dict[str, Any]] = []
        for at in range(0, len(keys), KEYS_MAX):
            answer = await self._ask("POST", "/v1/levels/query", body={"keys": [*keys[at : at + KEYS_MAX]]})
            found += answer["levels"]
        return found

    async def attributes(self, most: int) -> dict[str, dict[str, Any]]:
        """Of all items, by sku; of so many at most."""
        found: dict[str, dict[str, Any]] = {}
        after: str | None = None
        while len(found) < most:
            parameters: dict[str, str | int | float] = (
                {"limit": KEYS_MAX} if after is None else {"limit": KEYS_MAX, "after": after}
            )
            page = await self._ask("GET", "/v1/items", parameters)
            found |= {one["sku"]: one["attributes"] for one in page["items"]}
            if (after := page["next"]) is None:
                break
        return found

    async def key(self, text: str) -> dict[str, Any]:
        """What somebody else's key may do: docs/reference/http.md, introspect."""
        return await self._ask("POST", "/v1/keys/introspect", body={"key": text})

    async def own_scopes(self) -> list[str]:
        """What our own key may do."""
        scopes: list[str] = (await self.key(self._key)).get("scopes", [])
        return scopes

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
        try:
            answer, content = await self._answer(method, path, parameters, body)
            if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                raise SettingsError(self._refused)
            if missing is not None and answer.status_code == httpx.codes.NOT_FOUND:
                return missing
            if answer.status_code != httpx.codes.OK:
                raise LedgerAway(f"the ledger answers {answer.status_code}")
            found: dict[str, Any] = orjson.loads(content)
        except httpx.HTTPError as error:
            raise LedgerAway(f"the ledger does not answer ({error or type(error).__name__})") from error
        except ValueError as error:
            raise LedgerAway("the ledger's answer cannot be read") from error
        return found

    async def _answer(
        self, method: str, path: str, parameters: Mapping[str, str | int | float] | None, body: Any
    ) -> tuple[httpx.Response, bytes]:
        """The content is not left with the answer: that and its stream hold each other until the collector comes by,
        which let pages of half a megabyte pile up by the hundred."""
        async with self._http.stream(method, path, params=parameters, json=body) as answer:
            return answer, b"".join([part async for part in answer.aiter_bytes()])


def _quoted(name: str) -> str:
    """``.`` and ``..`` are good names, but HTTP clients and proxies resolve them away, to another path."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
