"""The adapter for Amazon against our strict Amazon, with a real queue of SQS's kind between them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import aiohttp
import pytest
import pytest_asyncio

from followers.marketplaces.adapter import Notice
from followers.marketplaces.amazon.adapter import Amazon
from followers.marketplaces.amazon.queue import RECEIPT
from followers.marketplaces.conformance.bench import TIMEOUT_S, remote_of
from followers.marketplaces.conformance.cases import CASES, LeftOut, run
from tests.channels.amazon.queues import ACCOUNT, REGION, ask_queue, create_queue, queue_service
from tests.channels.shared.starting import Market, market
from tests.followers.marketplaces.amazon.bench import QUICK, AmazonBench, adapter_of
from tests.harness.waiting import PATIENCE_S, wait_until

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
async def bench(place: Place, request: pytest.FixtureRequest) -> AsyncIterator[AmazonBench]:
    """Only what is never answered has to be given up soon."""
    hangs = "hangs" in request.node.name or "half open" in request.node.name
    async with remote_of(Amazon.quotas, timeout_s=TIMEOUT_S if hangs else PATIENCE_S) as remote:
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


async def test_a_notice_comes_again_until_it_is_told_as_stored(place: Place, bench: AmazonBench) -> None:
    await bench.adapter.check(None)
    url = {"QueueUrl": f"{place.queues}/{ACCOUNT}/orders"}
    async with aiohttp.ClientSession() as session:
        await ask_queue(session, place.queues, REGION, "PurgeQueue", url)  # of the cases before
    remote = await bench.offer(bench.sku(1), 5)
    order = await bench.sell(remote, 2)

    async def pulled() -> Sequence[Notice]:
        return await bench.adapter.pull()

    (notice,) = await wait_until(pulled)
    async with aiohttp.ClientSession() as session:
        shown = {**url, "ReceiptHandle": notice.headers[RECEIPT], "VisibilityTimeout": 0}
        await ask_queue(session, place.queues, REGION, "ChangeMessageVisibility", shown)
        (again,) = await wait_until(pulled)
        received, repeated = [await bench.adapter.receive(one) for one in (notice, again)]
        assert received == repeated
        assert [one.id for one in received.orders] == [order]
        await bench.adapter.pulled([again])
        counts = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        asked = {**url, "AttributeNames": counts}
        _, left = await ask_queue(session, place.queues, REGION, "GetQueueAttributes", asked)
    assert left["Attributes"] == dict.fromkeys(counts, "0")
