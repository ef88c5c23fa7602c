"""A bench over our Amazon: its quotas refill so fast that the kit, which asks all the time, is never throttled."""

from collections.abc import Sequence
from typing import ClassVar

import httpx

from followers.marketplaces.adapter import Notice, Remote
from followers.marketplaces.amazon.adapter import Amazon
from tests.channels.amazon.catalogue import MARKETPLACE, SELLER
from tests.channels.amazon.market import SUBSCRIPTIONS
from tests.channels.amazon.queues import ACCESS_KEY, SECRET_KEY
from tests.channels.amazon.tokens import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SCOPES
from tests.channels.shared.starting import Market
from tests.followers.marketplaces.controlled import ControlledBench

CREDENTIALS = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "refresh_token": REFRESH_TOKEN}
QUICK = 100_000
"""The server's pace."""


def adapter_of(market: Market, remote: Remote, queues: str = "", arn: str = "") -> Amazon:
    """``queues``: the endpoint of the service in which ``arn`` is."""
    settings = {
        "seller": SELLER,
        "marketplace": MARKETPLACE,
        "endpoint": market.url,
        "login": f"{market.url}/auth/o2/token",
        "read_after_s": "0",
    }
    if arn:
        settings |= {"queue": arn, "queue_endpoint": queues, "aws_access_key_id": ACCESS_KEY}
    return Amazon(settings, {**CREDENTIALS, "aws_secret_access_key": SECRET_KEY}, remote)


class AmazonBench(ControlledBench):
    lacks: ClassVar[frozenset[str]] = frozenset({"barcode", "throttled"})
    missing = "KIT-MISSING"

    def __init__(self, adapter: Amazon, market: Market, remote: Remote) -> None:
        super().__init__(adapter, market)
        self._remote = remote

    async def offer(self, sku: str, quantity: int, barcode: str = "") -> str:
        await self.market.offer(sku, quantity, title=sku)
        return sku

    async def notices(self) -> Sequence[Notice]:
        notices = await self.adapter.pull()
        await self.adapter.pulled(notices)
        return notices

    async def forget_subscriptions(self) -> None:
        async with httpx.AsyncClient(base_url=self.market.url) as http:
            form = {"grant_type": "client_credentials", "scope": SCOPES[0]}
            form |= {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
            grantless = (await http.post("/auth/o2/token", data=form)).json()["access_token"]
            seller = self._remote.kept_value("token seller") or ""
            path = f"{SUBSCRIPTIONS}/ORDER_CHANGE"
            found = (await http.get(path, headers={"x-amz-access-token": seller})).json()["payload"]
            path = f"{path}/{found['subscriptionId']}"
            (await http.delete(path, headers={"x-amz-access-token": grantless})).raise_for_status()

    async def expire_token(self) -> None:
        self._remote.keep("token seller", "Atza|of-an-hour-ago", 3600)

    async def refuse_access(self) -> None:
        await self.market.faults(token_revoked=True)
