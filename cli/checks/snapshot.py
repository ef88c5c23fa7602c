"""A client's whole way in without booking anything: discovery, key, hub, snapshot."""

import asyncio
import time

from cli.findings import Finding, FindingState
from stockwire import AsyncClient, Snapshot
from stockwire.errors import StockwireError
from stockwire.settings import Settings

TIMEOUT_S = 10.0


async def snapshot(way_in: Settings | None) -> Finding:
    """Reads one location, changes nothing."""
    if way_in is None:
        return Finding("a client", FindingState.SKIPPED, "set STOCKWIRE_URL and STOCKWIRE_API_KEY to try one")
    began = time.monotonic()
    try:
        async with (
            asyncio.timeout(TIMEOUT_S),
            AsyncClient(way_in.url, way_in.key, retry_for_s=TIMEOUT_S) as client,
        ):
            locations = [found async for found in client.locations.list()]
            if not locations:
                return Finding("a client", FindingState.SKIPPED, "there is no location yet to watch")
            levels = await _first_snapshot(client, locations[0].location)
    except (StockwireError, TimeoutError) as error:
        fix = "see the hubs' logs; are their stream URLs (STOCKWIRE_HUB_STREAM_URLS) right from here?"
        return Finding("a client", FindingState.FAILED, f"got no snapshot: {error or 'no answer'}", fix)
    took_ms = (time.monotonic() - began) * 1000
    return Finding(
        "a client", FindingState.GOOD, f"has {levels:,} levels of {locations[0].location} in {took_ms:.0f} ms"
    )


async def _first_snapshot(client: AsyncClient, location: str) -> int:
    async with client.subscribe(location) as subscription:
        async for event in subscription:
            if isinstance(event, Snapshot):
                return len(event.levels)
    return 0
