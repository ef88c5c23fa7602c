"""A Kafka as tests of its sink need it: what stands there, and what is in the way."""

import asyncio

import orjson
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from followers.brokers.broker import broker_of
from followers.relay.sinks.kafka import KafkaSink
from server.settings.environment import Environment
from stockwire.streams import CloudEvent
from tests.followers.relay.sinks.conformance import SHARDS, Told
from tests.followers.relay.sinks.kafka_reading import read
from tests.harness.brokers.apache_kafka import ApacheKafka
from tests.harness.waiting import PATIENCE_S

PREFIX = "ce_"


def sink_at(address: str, prefix: str, *, structured: bool = False, transactions: bool = True) -> KafkaSink:
    broker = broker_of(Environment({"STOCKWIRE_RELAY_TO": f"kafka://{address}"}), "STOCKWIRE_RELAY_TO", {})
    return KafkaSink(broker, prefix, structured=structured, transactions=transactions)


class KafkaPlace:
    large_bytes = 2**20 + 2**10
    takes_back = True

    def __init__(self, broker: ApacheKafka, prefix: str) -> None:
        self.broker = broker
        self._prefix = prefix

    def sink(self, *, structured: bool = False) -> KafkaSink:
        return sink_at(self.broker.address, self._prefix, structured=structured)

    async def read(self, shard: int) -> list[Told]:
        everything = await asyncio.to_thread(read, self.broker.address, f"{self._prefix}.events")
        return [told(one.headers, one.value) for one in everything if one.partition == shard]

    async def settle(self) -> None:
        """What it says that it has, it has."""

    async def spoil(self) -> str:
        topic = NewTopic(f"{self._prefix}.levels", num_partitions=SHARDS, config={"cleanup.policy": "delete"})
        admin = AdminClient({"bootstrap.servers": self.broker.address})
        await asyncio.to_thread(admin.create_topics([topic])[topic.topic].result, PATIENCE_S)
        return "has cleanup.policy=delete, and that has to be compact: kafka-configs.sh"


def told(headers: dict[str, str], data: bytes) -> Told:
    attributes = {name.removeprefix(PREFIX): value for name, value in headers.items() if name.startswith(PREFIX)}
    attributes["datacontenttype"] = headers["content-type"]
    by_client = CloudEvent.of_kafka([(name, value.encode()) for name, value in headers.items()], data)
    assert by_client == CloudEvent(attributes, orjson.loads(data)), "the client reads it so"
    return Told(attributes, data)
