"""A Kafka of three nodes under traffic, of which one or two are away, and two relays: everything once, in order.

Whole only: three nodes take 15 s of a processor to start.
"""

import asyncio
import logging
from collections import Counter
from pathlib import Path

import httpx
import pytest

from followers.log.ledger import Ledger
from tests.followers.relay.campaign import WITHIN_S, Campaign
from tests.followers.relay.places import KafkaTopic
from tests.followers.selling import selling
from tests.harness.brokers.apache_kafka import need_apache_kafka
from tests.harness.brokers.kafka_cluster import KafkaCluster, KafkaNode
from tests.harness.processes import ServerProcess
from tests.harness.size import SIZE
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until

PREFIX = "stock"
EVENTS = f"{PREFIX}.events"
ROUNDS = 1
WRITTEN = 25
"""Events between two strikes, and while a node is away."""

pytestmark = [
    pytest.mark.usefixtures("campaign"),
    pytest.mark.timeout(2 * SIZE.timeout_s),
    pytest.mark.skipif(SIZE.share < 1, reason="three nodes: make campaign; make test kills one that is alone"),
]
log = logging.getLogger(__name__)


async def test_kafka_shows_a_change_twice_when_nodes_go(system: ResidentSystem, server_folder: Path) -> None:
    need_apache_kafka()
    with KafkaCluster(server_folder / "kafka-three") as cluster:
        three = Three(Campaign(system, KafkaTopic(cluster.address, PREFIX), None, None), cluster)
        async with three.campaign.relaying() as (ledger, api):
            async with selling(api, 7):
                await three.campaign.goes_on(WRITTEN)
                shard = await three.sold_shard(ledger)
                for _ in range(ROUNDS):
                    await three.goes_on_without(await three.leader(shard))
                    await three.goes_on_without(await three.another(shard))
                    await three.goes_on_beside_a_frozen(await three.leader(shard))
                    await three.goes_on_without(await three.leader(shard), three.campaign.relays[0])
                    await three.writes_nothing_on_one_node(ledger, shard)
            reader = await three.campaign.read_to_the_end(ledger)
        aborted = await three.campaign.place.aborted()
    log.info("struck=%s changes=%d repeats=%d aborted=%d", three.struck, len(reader.ids), reader.repeats, aborted)
    assert reader.repeats == 0
    assert not reader.starts_over


class Three:
    def __init__(self, campaign: Campaign, cluster: KafkaCluster) -> None:
        self.campaign = campaign
        self.cluster = cluster
        self.struck: Counter[str] = Counter()

    async def sold_shard(self, ledger: Ledger) -> int:
        """Of which all events are."""
        (shard,) = [one["shard"] for one in (await ledger.shards())["shards"] if one["head"]]
        return int(shard)

    async def leader(self, shard: int) -> KafkaNode:
        return await self.cluster.leader(EVENTS, shard)

    async def another(self, shard: int) -> KafkaNode:
        leader = await self.leader(shard)
        return next(node for node in self.cluster.nodes if node is not leader)

    async def goes_on_without(self, node: KafkaNode, relay: ServerProcess | None = None) -> None:
        """``relay``: is killed with it, and comes back at once."""
        self.struck["a node and a relay" if relay else "a node"] += 1
        node.kill()
        if relay is not None:
            relay.kill()
            await relay.start()
        await self.campaign.goes_on(WRITTEN)
        await node.restart()
        await self.whole_again()

    async def goes_on_beside_a_frozen(self, node: KafkaNode) -> None:
        """Its connections stay open. Awake again, it believes for a moment to be what it was."""
        self.struck["a node frozen"] += 1
        node.pause()
        await self.campaign.goes_on(WRITTEN)
        node.resume()
        await self.whole_again()

    async def writes_nothing_on_one_node(self, ledger: Ledger, shard: int) -> None:
        """What a single node would acknowledge could be lost with it."""
        self.struck["two nodes"] += 1
        leader = await self.leader(shard)
        gone = [node for node in self.cluster.nodes if node is not leader]
        for node in gone:
            node.kill()
        for relay in self.campaign.relays:
            await said_why(relay)
        stands = await self.campaign._written(self.campaign.relays)
        await grows(ledger, shard, WRITTEN)
        assert await self.campaign._written(self.campaign.relays) == stands
        for node in gone:
            node.launch()
        await asyncio.gather(*(node.await_ready() for node in gone))
        await self.whole_again()

    async def whole_again(self) -> None:
        """So that the next one may go."""
        await self.cluster.await_whole(EVENTS)
        await self.cluster.await_whole("__transaction_state")
        await self.campaign.goes_on(WRITTEN)


async def said_why(relay: ServerProcess) -> None:
    """Of the first shard that it cannot write, or cannot look at."""
    async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE_S) as http:

        async def said() -> bool:
            answer = await http.get(f"{relay.admin}/readyz")
            return answer.status_code == 503 and "shard " in answer.json()["detail"]

        await wait_until(said, WITHIN_S, what=f"{relay.name} says why", swallow=httpx.HTTPError)


async def grows(ledger: Ledger, shard: int, events: int) -> None:
    async def head() -> int:
        return next(int(one["head"]) for one in (await ledger.shards())["shards"] if one["shard"] == shard)

    begun = await head()

    async def enough() -> bool:
        return await head() >= begun + events

    await wait_until(enough, what=f"{events} more are sold")
