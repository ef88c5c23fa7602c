"""Customers of the webhooks' API: every answer is held to wire/channels-openapi.yaml as it comes in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette

from followers.answers import Answers
from followers.api.app import ANSWERED, create_app
from followers.api.askers import Askers
from followers.database.database import Database
from followers.database.schema import expand
from followers.log.ledger import Ledger
from followers.outward.addresses import Addresses
from followers.sealing import Seal, new_sealing_key
from followers.webhooks.api.bodies import BODY_BYTES_MAX
from followers.webhooks.api.routes import RouteParts, Routes
from followers.webhooks.endpoints import Endpoints
from server.http.problems import Problems
from server.rates.rate_limits import RateLimits
from tests.harness.openapi import document
from tests.harness.system import System

CHANNELS = document("channels-openapi.yaml")
OPERATIONS = {name: one for name, one in CHANNELS.operations.items() if "webhooks" in one[2]["tags"]}
WISH: dict[str, Any] = {"url": "https://shop.example/stock", "types": ["stock.changed"]}


@dataclass(frozen=True)
class Api:
    """``seal``: under whose keys secrets lie."""

    app: Starlette
    endpoints: Endpoints
    ledger: Ledger
    seal: Seal

    def as_(self, key: str | None) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(
            transport=transport, base_url="http://channels", headers=headers, event_hooks={"response": [_held]}
        )


@asynccontextmanager
async def serving(
    system: System,
    *,
    ledger_url: str | None = None,
    key: str | None = None,
    database_url: str | None = None,
    rate_per_s: float = 0,
) -> AsyncIterator[Api]:
    """Over a system's database and ledger, unless others are given."""
    async with (
        Database(system.database_url) as schema,
        Database(database_url or system.database_url) as database,
        Ledger(ledger_url or system.ledger_url, key or await system.hub_key()) as ledger,
    ):
        await expand(schema)
        endpoints, seal = Endpoints(database), Seal([new_sealing_key()])

        async def ready() -> None:
            return None

        limits = RateLimits(rate_per_s, None, "", "channels", counted="key")
        routes = Routes(RouteParts(endpoints, ledger, seal, Addresses(), Askers(ledger, limits))).routes()
        app = create_app(routes, limits, Problems(ANSWERED), Answers(), ready, lambda _: BODY_BYTES_MAX)
        yield Api(app, endpoints, ledger, seal)


async def _held(answer: httpx.Response) -> None:
    await answer.aread()
    CHANNELS.check_answer(answer)
