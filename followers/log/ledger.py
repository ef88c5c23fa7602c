"""What a follower asks the ledger, with its own key: pages of the log, histories, levels, and which keys are good."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.http.ledger_api import Event as Event
from server.http.ledger_api import LedgerApi
from server.http.ledger_api import LedgerAway as LedgerAway

WAIT_S = 5.0
"""How long the ledger holds back an answer for which there is nothing yet. Who only waits is told of another epoch at
its end."""
CONNECTIONS_MAX = 160
"""One for each of up to 64 shards, which wait, and as many for whoever catches up, and some for histories."""
LEVELS_PAGE = 5_000
KEYS_MAX = 1_000
"""Levels of one question."""
KEY = "STOCKWIRE_CHANNELS_KEY"
SCOPES = ("hub",)
"""What the key needs: to read everything, and to ask which keys are good."""
MAKE_KEY = "stockwire key create channels --scope hub"


class Ledger(LedgerApi):
    def __init__(
        self, url: str, key: str, ca_file: Path | None = None, *, setting: str = KEY, make_key: str = MAKE_KEY
    ) -> None:
        """``setting``: where ``key`` comes from; ``make_key``: the command by which one is made that will do."""
        self._key = key
        refused = f"{setting} is no key that may do this: make one with `{make_key}`"
        super().__init__(url, key, ca_file, wait_s=WAIT_S, connections_max=CONNECTIONS_MAX, refused=refused)

    async def levels(self, after: str | None, limit: int = LEVELS_PAGE, *, shard: int | None = None) -> dict[str, Any]:
        """A page of all that have moved, or of those of one shard, behind the cursor ``after``, with epoch and heads.
        ``limit``: 1,000 at most for a key without the scope ``hub``."""
        parameters: dict[str, str | int | float] = {"limit": limit}
        if after is not None:
            parameters["after"] = after
        if shard is not None:
            parameters["shard"] = shard
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

    async def own_scopes(self) -> list[str]:
        """What our own key may do."""
        scopes: list[str] = (await self.key(self._key)).get("scopes", [])
        return scopes
