"""A hub of a row's own, whose doors stand wide open unless the row says otherwise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from tests.bench.shop import Shop
from tests.harness.metrics import await_metric
from tests.harness.processes import ServerProcess

EVERYBODY = 1_000_000
OPEN = {
    "STOCKWIRE_HUB_HANDSHAKES_PER_S": EVERYBODY,
    "STOCKWIRE_HUB_HANDSHAKES_BURST": EVERYBODY,
    "STOCKWIRE_HUB_UNAUTHENTICATED_MAX": EVERYBODY,
    "STOCKWIRE_HUB_CONNECTIONS_PER_OWNER_MAX": EVERYBODY,
}


@asynccontextmanager
async def own_hub(shop: Shop, **settings: object) -> AsyncIterator[ServerProcess]:
    """Fresh, and stopped at the end."""
    hub = await shop.system.start_hub(ledger_urls=[shop.system.ledger_url], **{**OPEN, **settings})
    try:
        await await_metric(hub, "stockwire_hub_fresh", 1)
        yield hub
    finally:
        assert await hub.stop() == 0


def address_of(hub: ServerProcess) -> tuple[str, int]:
    """Of its stream port."""
    parts = urlsplit(hub.stream)
    return parts.hostname or "", parts.port or 0
