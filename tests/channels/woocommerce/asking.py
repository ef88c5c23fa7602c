"""A shop within the test's own process, and whoever asks it over HTTP."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.channels.woocommerce.access import KEY, SECRET
from tests.channels.woocommerce.app import PATH
from tests.channels.woocommerce.marketplace import WooCommerce
from tests.harness.waiting import PATIENCE_S


@dataclass
class Asking:
    shop: WooCommerce
    auth: tuple[str, str] | None = (KEY, SECRET)
    client: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(app=self.shop.api)
        self.client = httpx.AsyncClient(transport=transport, base_url=f"http://shop{PATH}", timeout=PATIENCE_S)

    async def ask(self, method: str, path: str, body: object = None, **query: object) -> httpx.Response:
        params = {name: str(value) for name, value in query.items()}
        return await self.client.request(method, path, json=body, params=params, auth=self.auth)

    async def get(self, path: str, **query: object) -> Any:
        answer = await self.ask("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, rule: str, method: str, path: str, body: object = None, **query: object) -> tuple[int, str]:
        """Status and code; counted under ``rule``."""
        before = self.shop.rules.broken[rule]
        answer = await self.ask(method, path, body, **query)
        content = answer.json()
        assert content["data"]["status"] == answer.status_code
        assert self.shop.rules.broken[rule] == before + 1, self.shop.rules.broken
        return answer.status_code, content["code"]
