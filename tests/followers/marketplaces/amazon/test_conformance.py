"""The adapter for Amazon against our strict Amazon, with a real queue of SQS's kind between them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from followers.marketplaces.amazon.adapter import Amazon
from followers.marketplaces.conformance.bench import remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from tests.channels.amazon.queues import create_queue, queue_service
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.amazon.bench import QUICK, AmazonBench, adapter_of

pytestmark = [pytest.mark.usefixtures("processes"), pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True, slots=True)
class Place:
    market: Market
    queues: str
    arn: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("amazon")
    async with (
        queue_service(folder) as queues,
        market("amazon", folder, "--pace", str(QUICK), "--queues", queues) as one,
    ):
        yield Place(one, queues, await create_queue(queues, "orders"))


@pytest_asyncio.fixture(loop_scope="module")
async def bench(place: Place) -> AsyncIterator[AmazonBench]:
    async with remote_of(Amazon.quotas) as remote:
        bench = AmazonBench(adapter_of(place.market, remote, place.queues, place.arn), place.market, remote)
        yield bench
        await bench.reset()


@pytest.mark.parametrize("case", CASES)
async def test_conforms(case: str, bench: AmazonBench) -> None:
    try:
        await run(case, bench)
    except LeftOut as left_out:
        pytest.skip(str(left_out))
    broken = (await bench.market.counts())["broken"]
    assert not set(broken) - MET, "the adapter asked what Amazon refuses"
    assert (await bench.market.counts())["throttled"] == 0


MET = {"token.invalid", "login.refresh", "orders.unknown", "sku.unknown", "notices.subscription"}
"""What cases make happen: access that is refused, and looking for what is not there."""
