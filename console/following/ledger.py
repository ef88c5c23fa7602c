"""What the console asks the ledger, with its own key: the log, single levels, reservations, keys.

What viewers look at is asked once for all of them: who asks the same within a moment gets the same answer.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from server.http.ledger_api import Event, LedgerApi, LedgerAway, Read, path_of
from server.settings.environment import SettingsError

WAIT_S = 20.0
"""How long the ledger holds back an answer for which there is nothing yet. At most 30."""
SAME_FOR_S = 1.0
REMEMBERED_MAX = 256
CONNECTIONS_MAX = 80
"""One for each of up to 64 shards, which wait, and some for what viewers ask."""
_KEY = "STOCKWIRE_CONSOLE_KEY"
SCOPES = ("stock:read:*", "feed", "hub")
"""What the console's own key needs. Acting goes over admin ports: no key of its own may write."""
MAKE_KEY = "stockwire key create console " + " ".join(f"--scope '{scope}'" for scope in SCOPES)


class Ledger(LedgerApi):
    """``requests``: how many it was asked."""

    def __init__(self, url: str, key: str, ca_file: Path | None = None) -> None:
        refused = f"{_KEY} is no key that may do this: make one with `{MAKE_KEY}`"
        super().__init__(url, key, ca_file, wait_s=WAIT_S, connections_max=CONNECTIONS_MAX, refused=refused)
        self._same: OrderedDict[str, tuple[float, asyncio.Task[Any]]] = OrderedDict()
        self.requests = 0

    async def __aexit__(self, *_: object) -> None:
        for _at, task in self._same.values():
            task.cancel()
        await super().__aexit__()

    async def history(self, location: str, sku: str, after: int, limit: int) -> list[Event]:
        ask = partial(super().history, location, sku, after, limit)
        events: list[Event] = await self._shared(f"history {path_of(location, sku)} {after} {limit}", ask)
        return events

    async def level(self, location: str, sku: str) -> dict[str, Any] | None:
        """None if the ledger has none."""
        path = path_of(location, sku)
        return await self._shared(path, partial(self._ask, "GET", path, missing={})) or None

    async def reservations(self, parameters: Mapping[str, str | int]) -> dict[str, Any]:
        missing: dict[str, Any] = {"reservations": [], "next": None}
        ask = partial(self._ask, "GET", "/v1/reservations", dict(parameters), missing=missing)
        answer: dict[str, Any] = await self._shared(f"reservations {sorted(parameters.items())}", ask)
        return answer

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

    async def _ask_as(
        self,
        read: Callable[[bytes], Read],
        method: str,
        path: str,
        parameters: Mapping[str, str | int | float] | None = None,
        body: Any = None,
        missing: Read | None = None,
    ) -> Read:
        self.requests += 1
        return await super()._ask_as(read, method, path, parameters, body, missing)


async def _caught(ask: Callable[[], Awaitable[Any]]) -> Any:
    """The exception as a result: nobody may be left to hear it."""
    try:
        return await ask()
    except (LedgerAway, SettingsError) as error:
        return error
