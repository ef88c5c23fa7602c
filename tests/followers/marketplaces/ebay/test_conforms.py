"""eBay's adapter does what every adapter has to, against the strict server."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.ebay.bench import ebay_bench

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]
THROTTLED = "says when it is throttled"
PROVOKED = {"offers.none", "bulk.sku", "orders.unknown", "auth.token", "oauth.grant"}
"""What cases break on purpose: a listing and an order that are not there, a token that has ended, a consent revoked."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ebay(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Market]:
    async with market("ebay", tmp_path_factory.mktemp("ebay")) as started:
        yield started


@pytest.mark.parametrize("case", [one for one in CASES if one != THROTTLED])
async def test_conforms(case: str, ebay: Market) -> None:
    async with ebay_bench(ebay) as bench:
        try:
            await run(case, bench)
        except LeftOut as reason:
            pytest.skip(str(reason))
        finally:
            await bench.reset()
        assert set((await ebay.counts())["broken"]) <= PROVOKED


async def test_says_when_it_is_throttled(tmp_path: Path) -> None:
    """By a server of its own, whose day has 100 calls: they are used up for all who come after."""
    async with market("ebay", tmp_path, "--fewer", "20000") as started, ebay_bench(started) as bench:
        await run(THROTTLED, bench)
