"""A console of a row's own, as a process, and who signs in to it."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from console.following.ledger import SCOPES
from tests.bench.shop import Shop
from tests.harness.metrics import await_metric
from tests.harness.processes import clean_environment

ROOT = Path(__file__).parent.parent.parent


@asynccontextmanager
async def own_console(shop: Shop) -> AsyncIterator[str]:
    """Its URL, when it watches every level; until the context ends."""
    hub = shop.system.hubs[0]  # others are some row's own, and have ended
    variables = {
        "STOCKWIRE_URL": shop.system.ledger_url,
        "STOCKWIRE_CONSOLE_KEY": await shop.system.key("console", *SCOPES),
        "STOCKWIRE_ADMIN_URLS": f"{shop.system.ledgers[0].admin},{hub.admin}",
        "STOCKWIRE_CONSOLE_PORT": "0",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console"),
        cwd=ROOT,
        env=clean_environment(variables),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        url = json.loads(await process.stdout.readline())["url"]
        await await_metric(hub, "stockwire_hub_subscriptions", 1)
        yield url
    finally:
        process.terminate()
        await process.communicate()


async def viewer_key(shop: Shop) -> str:
    """Of somebody who only looks."""
    return await shop.system.key("looker", "stock:read:*")
