"""The connector of docs/how-to/connectors.md, as the page has it, against WooCommerce's strict server: the kit."""

import importlib
import itertools
import sys
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from followers.marketplaces.adapter import Adapter
from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from tests.channels.shared.starting import Market, market
from tests.channels.woocommerce.access import KEY, SECRET
from tests.docs.pages import block
from tests.followers.marketplaces.controlled import ControlledBench
from tests.followers.marketplaces.inbox import Inbox
from tests.followers.marketplaces.test_connectors_page import NAME, PAGE

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
numbers = itertools.count(101)


class WooBench(ControlledBench):
    missing = "999999"
    lacks = frozenset({"signs_in", "throttled"})

    def new_id(self) -> str:
        return str(next(numbers))

    async def refuse_access(self) -> None:
        await self.market.faults(token_revoked=True)

    async def forget_subscriptions(self) -> None:
        """As WooCommerce leaves them after five failures."""
        async with httpx.AsyncClient(base_url=f"{self.market.url}/wp-json/wc/v3", auth=(KEY, SECRET)) as client:
            for hook in (await client.get("/webhooks")).raise_for_status().json():
                (await client.put(f"/webhooks/{hook['id']}", json={"status": "disabled"})).raise_for_status()


@pytest.fixture(scope="module")
def woocommerce(tmp_path_factory: pytest.TempPathFactory) -> type[Adapter]:
    folder = tmp_path_factory.mktemp("connector")
    (folder / f"{NAME}.py").write_text(block(PAGE, "python", f"{NAME}.py"))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.delitem(sys.modules, NAME, raising=False)
        found: type[Adapter] = importlib.import_module(NAME).WooCommerce
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(processes: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    async with market("woocommerce", tmp_path_factory.mktemp("woocommerce"), "--pace", "20") as shop:
        yield shop


@pytest_asyncio.fixture(loop_scope="module")
async def bench(shop: Market, woocommerce: type[Adapter]) -> AsyncIterator[WooBench]:
    async with Inbox() as inbox, remote_of(woocommerce.quotas) as remote:
        credentials = {"key": KEY, "secret": SECRET, "notices": "long and random"}
        bench = WooBench(woocommerce({"url": shop.url}, credentials, remote), shop, inbox)
        await bench.reset()
        yield bench
        await bench.reset()


@pytest.mark.parametrize("case", CASES)
async def test_conforms(case: str, bench: WooBench) -> None:
    try:
        await run(case, bench)
    except LeftOut as reason:
        pytest.skip(str(reason))
