"""Apache Kafka 4 of three nodes, each broker and controller: what is acknowledged stands on two of them at least."""

import asyncio
import time
from pathlib import Path
from typing import Self

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._metadata import PartitionMetadata

from tests.harness.brokers.apache_kafka import META, ApacheKafka
from tests.harness.brokers.broker import HOST, POLL_S, PROBE_S, READY_S
from tests.harness.waiting import wait_until

NODES = (1, 2, 3)
DIRECTORIES = {1: "c3RvY2t3aXJlLWtyYWZ0LQ", 2: "c3RvY2t3aXJlLWtyYWZ0Lg", 3: "c3RvY2t3aXJlLWtyYWZ0Lw"}
"""Of ``META``, and two that differ in more than the bits that are no part of it."""
REPLICATED = """
node.id={node}
controller.quorum.voters={voters}
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
controller.quorum.election.timeout.ms=5000
controller.quorum.fetch.timeout.ms=5000
broker.session.timeout.ms=8000
initial.broker.registration.timeout.ms=600000
"""
"""Behind the properties of one node: of two lines the later counts. The waits are those of a busy machine: with the
usual ones nodes elect each other without end there, and give up to begin after a minute."""


class KafkaNode(ApacheKafka):
    """``voters`` has to be set before it starts: those of all nodes."""

    def __init__(self, folder: Path, node: int) -> None:
        super().__init__(folder)
        self.node = node
        self.voters = ""

    @property
    def voter(self) -> str:
        return f"{self.node}@{HOST}:{self._controller_port}"

    def prepare(self) -> None:
        super().prepare()
        meta = META.replace("node.id=1", f"node.id={self.node}").replace(DIRECTORIES[1], DIRECTORIES[self.node])
        (self._data / "meta.properties").write_text(meta)
        with self._properties.open("a") as properties:
            properties.write(REPLICATED.format(node=self.node, voters=self.voters))


class KafkaCluster:
    """As a context manager: started, and at the end gone with its data."""

    def __init__(self, folder: Path) -> None:
        self.nodes = [KafkaNode(folder / f"node-{node}", node) for node in NODES]
        for node in self.nodes:
            node.voters = ",".join(one.voter for one in self.nodes)

    def __enter__(self) -> Self:
        try:
            for node in self.nodes:
                node.launch()
            deadline = time.monotonic() + len(NODES) * READY_S
            while not self._all_are_in():
                assert time.monotonic() < deadline, self.nodes[0].last_words()
                time.sleep(POLL_S)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for node in self.nodes:
            node.close()

    @property
    def address(self) -> str:
        """All of them."""
        return ",".join(node.address for node in self.nodes)

    async def leader(self, topic: str, partition: int) -> KafkaNode:
        """Once there is one."""

        async def known() -> KafkaNode | None:
            leader = (await asyncio.to_thread(self._partitions, topic))[partition].leader
            return next((node for node in self.nodes if node.node == leader and node.running), None)

        found = await wait_until(known, READY_S, what=f"{topic} has a leader", swallow=KafkaException)
        assert found is not None
        return found

    async def await_whole(self, topic: str) -> None:
        """Until every node has all of the topic: from then on any of them may go."""

        def are_in() -> bool:
            return all(len(one.isrs) == len(NODES) for one in self._partitions(topic).values())

        await wait_until(
            lambda: asyncio.to_thread(are_in), READY_S, what=f"{topic} is on all nodes", swallow=KafkaException
        )

    def _all_are_in(self) -> bool:
        assert all(node.running for node in self.nodes), [node.last_words() for node in self.nodes]
        try:
            return len(_admin(self.address).list_topics(timeout=PROBE_S).brokers) == len(NODES)
        except KafkaException:
            return False

    def _partitions(self, topic: str) -> dict[int, PartitionMetadata]:
        found = _admin(self.address).list_topics(topic, timeout=PROBE_S).topics[topic]
        return dict(found.partitions)


def _admin(address: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": address, "log_level": 0})
