"""One broker of each kind for a whole run, started when the first test asks for it, and a prefix for each test.

Never stop or kill these: for faults take one of your own, ``with ApacheKafka(server_folder / "mine") as kafka``.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # each pytest process reads this file, and few need a broker
    from tests.harness.brokers.apache_kafka import Kafka
    from tests.harness.brokers.nats_server import NatsServer
    from tests.harness.brokers.rabbitmq import RabbitMQ


@pytest.fixture
def stream_prefix() -> str:
    """What names of topics, streams, exchanges and queues of this test begin with: its brokers are others' too."""
    return f"t{secrets.token_hex(5)}"


@pytest.fixture(scope="session")
def kafka(server_folder: Path, processes: None) -> Iterator["Kafka"]:
    """A broker that speaks Kafka's protocol, or the Kafka that STOCKWIRE_TEST_KAFKA names. ``address`` is what clients
    call ``bootstrap.servers``."""
    from tests.harness.brokers.apache_kafka import yours
    from tests.harness.brokers.noida import Noida, need_noida

    if given := yours():
        yield given
        return
    need_noida()
    with Noida(server_folder / "noida") as broker:
        yield broker


@pytest.fixture(scope="session")
def apache_kafka(server_folder: Path, processes: None) -> Iterator["Kafka"]:
    """Apache Kafka itself, also the one that STOCKWIRE_TEST_KAFKA names. It takes 5 s of a processor to start."""
    from tests.harness.brokers.apache_kafka import ApacheKafka, need_apache_kafka, yours

    if given := yours():
        yield given
        return
    need_apache_kafka()
    with ApacheKafka(server_folder / "kafka") as broker:
        yield broker


@pytest.fixture(scope="session")
def nats(server_folder: Path, processes: None) -> Iterator["NatsServer"]:
    from tests.harness.brokers.nats_server import NatsServer

    with NatsServer(server_folder / "nats") as broker:
        yield broker


@pytest.fixture(scope="session")
def rabbitmq(server_folder: Path, processes: None) -> Iterator["RabbitMQ"]:
    """It takes 5 s of a processor to start."""
    from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq

    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq") as broker:
        yield broker
