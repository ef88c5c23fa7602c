"""Apache Kafka 4: one node that is broker and controller (KRaft), from its jars and the machine's Java.

``STOCKWIRE_TEST_KAFKA=host:port`` takes a running Kafka in its place, which is neither killed nor restarted.
"""

import os
import shutil
from pathlib import Path
from typing import Protocol

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from tests.harness.brokers.broker import HOST, PROBE_S, Broker
from tests.harness.jars import KAFKA
from tests.harness.servers import free_port

YOURS = "STOCKWIRE_TEST_KAFKA"
JAVA = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Small, and quick to start rather than quick in the end."""
LOGGED = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
META = """
version=1
cluster.id=c3RvY2t3aXJlLXRlc3RzLQ
node.id=1
directory.id=c3RvY2t3aXJlLWtyYWZ0LQ
"""
"""What ``kafka-storage format`` would write, for which it takes a Java of its own."""
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
num.network.threads=2
num.io.threads=2
"""
"""The session is short: who was killed may register again only when it has ended. A busy machine ends a shorter one."""


class Kafka(Protocol):
    """``address``: what clients of Kafka call ``bootstrap.servers``."""

    @property
    def address(self) -> str: ...


class ApacheKafka(Broker):
    """``more``: lines for its properties, which may name the same again, with ``{host}``, ``{port}`` and
    ``{controller_port}``."""

    name = "kafka"

    def __init__(self, folder: Path, more: str = "") -> None:
        super().__init__(folder)
        self._more = more
        self._controller_port = free_port()
        self._data = folder / "data"

    def prepare(self) -> None:
        self._data.mkdir(exist_ok=True)
        if not (meta := self._data / "meta.properties").exists():
            meta.write_text(META)
        text = (PROPERTIES + self._more).format(
            host=HOST, port=self.port, controller_port=self._controller_port, data=self._data
        )
        self._properties.write_text(text)

    def command(self) -> list[str]:
        java = shutil.which("java")
        assert java, "no Java on this machine"
        return [java, *JAVA, LOGGED, "-cp", f"{KAFKA.folder}/*", "kafka.Kafka", str(self._properties)]

    def answers(self) -> bool:
        return lists_itself(self.address)

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"


class YourKafka:
    def __init__(self, address: str) -> None:
        self.address = address


def yours() -> YourKafka | None:
    return YourKafka(os.environ[YOURS]) if os.environ.get(YOURS) else None


def need_apache_kafka() -> None:
    """One to start. Skips the test where its jars or Java are missing, or fails it where STOCKWIRE_REQUIRE_PEERS says
    so."""
    if os.environ.get(YOURS):
        pytest.skip(f"{YOURS} names a Kafka that is not ours to kill")
    KAFKA.need()


def lists_itself(address: str) -> bool:
    """Whether a broker there is in what the cluster says of itself: before that nothing can be written."""
    client = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        return bool(client.list_topics(timeout=PROBE_S).brokers)
    except KafkaException:
        return False
