"""One real change, booked through the ledger and seen on a WebSocket of every hub, with its milliseconds.

It moves the sku `round-trip` at the location `stockwire-doctor`, of which nobody else knows, by +1 and then by -1, each
under a key of this run. Should the run be cut off in between, one unit stays there and harms nobody.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

from cli import findings
from cli.findings import Finding, FindingState
from stockwire import AsyncClient, AsyncSubscription, Freshness, LevelChanged, StreamEvent
from stockwire.errors import Forbidden, OutOfStock, StockwireError, Unauthorized
from stockwire.settings import Settings

LOCATION, LOCATION_NAME = "stockwire-doctor", "Of stockwire doctor: nothing is here"
SKU, SKU_NAME = "round-trip", "Of stockwire doctor: goes up and down by 1"
READY_S = 3.0
"""For a hub to give its snapshot; one that is sound takes milliseconds."""
SEEN_S = 5.0
"""For the change to arrive. A hub without its broker reads the log within a second or two."""
HEARD_S = 1.0
"""For its first heartbeat, which says whether it is fresh; it comes a quarter of a second after the connection."""
RETRY_FOR_S = 5.0


class WatchedHub:
    """One hub: which versions it has shown, and when; what it says of itself. Times are monotonic seconds."""

    def __init__(self, url: str, subscription: AsyncSubscription) -> None:
        self.place = urlsplit(url).netloc
        self.trouble: str | None = None
        self.fresh: bool | None = None
        self._subscription = subscription
        self._shown: dict[int, float] = {}
        self._news = asyncio.Event()
        subscription.listen(self._note)

    async def ready(self) -> None:
        try:
            await self._subscription.ready(READY_S)
        except StockwireError as error:
            self.trouble = f"gave no snapshot: {error}"
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HEARD_S):
                while self.fresh is None:
                    await self._next_news()

    async def shows(self, version: int) -> float | None:
        """When it first showed this version or a newer one; None if it did not within SEEN_S."""
        try:
            async with asyncio.timeout(SEEN_S):
                while True:
                    if times := [at for shown, at in self._shown.items() if shown >= version]:
                        return min(times)
                    await self._next_news()
        except TimeoutError:
            return None

    async def _next_news(self) -> None:
        self._news.clear()
        await self._news.wait()

    def _note(self, event: StreamEvent) -> None:
        if isinstance(event, LevelChanged):
            self._shown.setdefault(event.level.version, time.monotonic())
        elif isinstance(event, Freshness):
            self.fresh = event.fresh
        self._news.set()


async def round_trip(way_in: Settings) -> list[Finding] | None:
    """One finding for each hub. None if the key may not book here: then there is nothing to be said."""
    try:
        async with AsyncClient(way_in.url, way_in.key, retry_for_s=RETRY_FOR_S) as client:
            await client.items.put(SKU, SKU_NAME)
            await client.locations.put(LOCATION, LOCATION_NAME)
            hubs = await client.hubs()
            if not hubs:
                fix = "set STOCKWIRE_HUB_STREAM_URLS where the ledger runs, to the URLs by which clients reach the hubs"
                return [Finding("round trip", FindingState.FAILED, "the ledger names no hub to its clients", fix)]
            async with AsyncExitStack() as stack:
                return await _through(client, [await _watch(stack, way_in, url) for url in hubs])
    except Forbidden:
        return None
    except Unauthorized as error:
        fix = "set STOCKWIRE_API_KEY to a key that is good (`stockwire key list`, `stockwire key create`)"
        return [Finding("round trip", FindingState.FAILED, f"the ledger turned the key away: {error}", fix)]
    except StockwireError as error:
        fix = "start the ledger, or correct STOCKWIRE_URL; its log says what it waits for"
        return [Finding("round trip", FindingState.FAILED, f"nothing can be booked: {error}", fix)]


async def _watch(stack: AsyncExitStack, way_in: Settings, url: str) -> WatchedHub:
    client = await stack.enter_async_context(AsyncClient(way_in.url, way_in.key, hubs=[url]))
    return WatchedHub(url, await stack.enter_async_context(client.subscribe(LOCATION, [SKU])))


async def _through(client: AsyncClient, hubs: Sequence[WatchedHub]) -> list[Finding]:
    """Raises StockwireError if the change cannot be booked, or not be taken back."""
    await asyncio.gather(*(hub.ready() for hub in hubs))
    watching = [hub for hub in hubs if hub.trouble is None]
    run = secrets.token_hex(8)
    began = time.monotonic()
    try:
        booked = await client.stock.adjust(SKU, LOCATION, +1, key=f"stockwire-doctor:{run}:up", reason="round trip")
        seen = await asyncio.gather(*(hub.shows(booked.level.version) for hub in watching))
    finally:
        with contextlib.suppress(OutOfStock):  # it was never booked
            await client.stock.adjust(SKU, LOCATION, -1, key=f"stockwire-doctor:{run}:down", reason="round trip")
    took_ms = {hub.place: None if at is None else (at - began) * 1000 for hub, at in zip(watching, seen, strict=True)}
    return [findings.trip_finding(hub.place, took_ms.get(hub.place), hub.trouble, hub.fresh) for hub in hubs]
