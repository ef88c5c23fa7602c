"""What pages of this room watch: a market with stalls, and a shop of badges."""

from collections.abc import AsyncIterator, Iterator

import pytest

from stockwire import AsyncClient
from tests.browsers.shopfront import Shopfront
from tests.browsers.site import Site
from tests.browsers.stall import Stall
from tests.conftest import StartHub, StartLedger
from tests.harness.system import Grounds, ResidentSystem, System
from tests.hub.shop import Shop


@pytest.fixture(scope="module")
def market(grounds: Grounds, lasting_site: Site) -> Iterator[System]:
    """One ledger and two hubs for a file whose tests break nothing; the site's pages may connect."""

    async def start(system: ResidentSystem) -> None:
        origins = f"{lasting_site.origin},{lasting_site.other_origin}"
        system.plan_hubs(2)
        await system.start_ledger(STOCKWIRE_ALLOWED_ORIGINS=origins)
        for _ in range(2):
            await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS=origins, STOCKWIRE_HUB_HEARTBEAT_S=1)
        await system.await_fresh()

    with grounds.system(ResidentSystem, start) as system:
        yield system


@pytest.fixture
async def stall(market: System, unique_name: str) -> AsyncIterator[Stall]:
    async with AsyncClient(market.ledger_url, await market.admin_key()) as client:
        yield await Stall.opened(client, unique_name)


@pytest.fixture
async def front(system: System, start_ledger: StartLedger, start_hub: StartHub, site: Site) -> Shopfront:
    system.plan_hubs(1)
    await start_ledger()
    await start_hub(
        STOCKWIRE_ALLOWED_ORIGINS=site.origin, STOCKWIRE_HUB_PUBLIC_LOCATIONS="web", STOCKWIRE_HUB_VISITORS=1
    )
    await system.await_fresh()
    return Shopfront(system, Shop(system), site)
