"""What the console asks the ledger, with its own key: the log, single levels, reservations, keys.

What viewers look at is asked once for all of them: who asks the same within a moment gets the same answer.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson

from server.settings.environment import SettingsError
from server.tls.certificate import trusting

TIMEOUT_S = 10.0
WAIT_S = 20.0
"""How long the ledger holds back an answer for which there is nothing yet. At most 30."""
SAME_FOR_S = 1.0
REMEMBERED_MAX = 256
CONNECTIONS_MAX = 80
"""One for each of up to 64 shards, which wait, and some for what viewers ask."""
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_KEY = "STOCKWIRE_CONSOLE_KEY"
SCOPES = ("stock:read:*", "feed", "hub")
"""What the console's own key needs. Acting goes over admin ports: no key of its own may write."""
MAKE_KEY = "stockwire key create console " + " ".join(f"--scope '{scope}'" for scope in SCOPES)


class LedgerAway(Exception):
    """It does not answer, or not with what was asked for; the message says why in a few words."""


class Ledger:
    """Use as ``async with``. Raises LedgerAway; SettingsError if the key is no good, or lacks a scope."""

    def __init__(self, url: str, key: str, ca_file: Path | None = None) -> None:
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(TIMEOUT_S, read=WAIT_S + TIMEOUT_S),
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX, max_keepalive_connections=CONNECTIONS_MAX),
            verify=trusting(ca_file) if ca_file else url.startswith("https://"),
        )
        self._same: OrderedDict[str, tuple[float, asyncio.Task[Any]]] = OrderedDict()
        self.requests = 0

    async def __aenter__(self) -> "Ledger":
        return self

    async def __aexit__(self, *_: object) -> None:
        for _at, task in self._same.values():
            task.cancel()
        await self._http.aclose()

    async def shards(self) -> dict[str, Any]:
        return await self._ask("GET", "/v1/shards")

    async def events(self, shard: int, after: int, limit: int, wait_s: float = 0.0) -> dict[str, Any]:
        parameters = {"shard": shard, "after": after, "limit": limit, "wait": wait_s}
        return await self._ask("GET", "/v1/events", parameters)

    async def history(self, sku: str, location: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Events of one level behind the version ``after``, oldest first; none if it has never moved."""
        path = f"/v1/levels/{_quoted(location)}/{_quoted(sku)}/events"

        async def ask() -> Any:
            return await self._ask("GET", path, {"after": after, "limit": limit}, missing={"events": []})

        answer = await self._shared(f"{path} {after} {limit}", ask)
        events: list[dict[str, Any]] = answer["events"]
        return events

    async def level(self, sku: str, location: str) -> dict[str, Any] | None:
        """None if the ledger has none."""
        path = f"/v1/levels/{_quoted(location)}/{_quoted(sku)}"

        async def ask() -> Any:
            return await self._ask("GET", path, missing={})

        return await self._shared(path, ask) or None

    async def reservations(self, parameters: Mapping[str, str | int]) -> dict[str, Any]:
        async def ask() -> Any:
            return await self._ask(
                "GET", "/v1/reservations", dict(parameters), missing={"reservations": [], "next": None}
            )

        answer: dict[str, Any] = await self._shared(f"reservations {sorted(parameters.items())}", ask)
        return answer

    async def key(self, text: str) -> dict[str, Any]:
        """What somebody else's key may do: docs/reference/http.md, introspect."""
        return await self._ask("POST", "/v1/keys/introspect", body={"key": text})

    async def good_keys(self, ids: Sequence[str]) -> set[str]:
        answer = await self._ask("POST", "/v1/keys/introspect", body={"ids": [*ids]})
        return set(answer["ids"])

    async def _shared(self, name: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        now = time.monotonic()
        known = self._same.get(name)
        if known is None or known[0] < now - SAME_FOR_S:
            known = now, asyncio.ensure_future(_caught(ask))
            self._same[name] = known
            self._same.move_to_end(name)
            if len(self._same) > REMEMBERED_MAX:
                self._same.popitem(last=False)
        found = await asyncio.shield(known[1])  # one viewer who leaves must not take the answer from the others
        if isinstance(found, Exception):
            raise found
        return found

    async def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str | int | float] | None = None,
        body: Any = None,
        missing: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """``missing``: the answer where there is nothing of that name."""
        self.requests += 1
        try:
            answer = await self._http.request(method, path, params=parameters, json=body)
            if answer.status_code in (_UNAUTHORIZED, _FORBIDDEN):
                raise SettingsError(f"{_KEY} is no key that may do this: make one with `{MAKE_KEY}`")
            if missing is not None and answer.status_code == httpx.codes.NOT_FOUND:
                return missing
            if answer.status_code != httpx.codes.OK:
                raise LedgerAway(f"the ledger answers {answer.status_code}")
            found: dict[str, Any] = orjson.loads(answer.content)
        except httpx.HTTPError as error:
            raise LedgerAway(f"the ledger does not answer ({error or type(error).__name__})") from error
        except ValueError as error:
            raise LedgerAway("the ledger's answer cannot be read") from error
        return found


async def _caught(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The exception as a result: nobody may be left to hear it."""
    try:
        return await ask()
    except (LedgerAway, SettingsError) as error:
        return error


def _quoted(name: str) -> str:
    """``.`` and ``..`` are good names, but HTTP clients and proxies resolve them away, to another path."""
    return name.replace(".", "%2E") if name in (".", "..") else quote(name, safe="")
