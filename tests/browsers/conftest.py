"""A shop of this room whose pages have badges."""

import pytest

from tests.browsers.shopfront import Shopfront
from tests.browsers.site import Site
from tests.conftest import StartHub, StartLedger
from tests.harness.system import System
from tests.hub.shop import Shop


@pytest.fixture
async def front(system: System, start_ledger: StartLedger, start_hub: StartHub, site: Site) -> Shopfront:
    system.plan_hubs(1)
    await start_ledger()
    await start_hub(
        STOCKWIRE_ALLOWED_ORIGINS=site.origin, STOCKWIRE_HUB_PUBLIC_LOCATIONS="web", STOCKWIRE_HUB_VISITORS=1
    )
    await system.await_fresh()
    return Shopfront(system, Shop(system), site)
