"""Relays and their broker killed while sales go on: a reader by the consumer's rule holds the ledger's log, no more.

A whole campaign strikes two hundred times for each kind of broker; `make test` has what shows that it works.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ledger import migrations
from tests.followers.relay.campaign import Campaign
from tests.followers.relay.examples import Examples, examples
from tests.followers.relay.places import KafkaTopic, nats_streams, rabbitmq_queue, rabbitmq_streams
from tests.followers.relay.reading import Reader
from tests.followers.selling import selling
from tests.harness.brokers.apache_kafka import ApacheKafka, need_apache_kafka
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.noida import Noida
from tests.harness.brokers.rabbitmq import RabbitMQ, need_rabbitmq
from tests.harness.postgres import PostgresServer
from tests.harness.size import FIFTH, SIZE
from tests.harness.system import ProcessSystem, ResidentSystem

STRIKES = SIZE.of(200) if SIZE.share > FIFTH else 1
"""A third of them kill relay and broker within the same instant."""
USER = {"STOCKWIRE_BROKER_USER": "guest", "STOCKWIRE_BROKER_PASSWORD": "guest"}
SOLD = 20
"""Events between two things that are done to a database."""

pytestmark = [pytest.mark.timeout(3 * SIZE.timeout_s), pytest.mark.usefixtures("campaign")]
"""Longer than each of their waits, which say what was not there in time."""
WHOLE = pytest.mark.skipif(SIZE.share < 1, reason="make campaign: each make test kills Apache Kafka and NATS")


@pytest.fixture
async def following(tmp_path: Path, redis_url: str, empty_database_url: str) -> AsyncIterator[Examples]:
    """A cache and a table that are told in the end what the broker holds: they read Kafka alone."""
    async with examples(tmp_path, redis_url, empty_database_url) as fed:
        yield fed


@WHOLE
async def test_what_speaks_like_kafka_shows_a_change_twice(
    system: ResidentSystem, kafka: Noida, stream_prefix: str, tmp_path: Path, redis_url: str, empty_database_url: str
) -> None:
    """Its broker is never killed: see ``Noida``."""
    place = KafkaTopic(kafka.address, stream_prefix)
    async with examples(tmp_path, redis_url, empty_database_url, kafka=kafka.address, prefix=stream_prefix) as reading:
        holds_all_once(await Campaign(system, place, None, reading).run(STRIKES))


async def test_kafka_shows_a_change_twice(
    system: ResidentSystem, server_folder: Path, tmp_path: Path, redis_url: str, empty_database_url: str
) -> None:
    """Nor do a cache and a table that read along, and are killed as well."""
    need_apache_kafka()
    with ApacheKafka(server_folder / "kafka-killed") as broker:
        place = KafkaTopic(broker.address, "stock")
        async with examples(tmp_path, redis_url, empty_database_url, kafka=broker.address, prefix="stock") as reading:
            holds_all_once(await Campaign(system, place, broker, reading).run(STRIKES))


async def test_nats_holds_a_change_twice(system: ResidentSystem, server_folder: Path, following: Examples) -> None:
    with NatsServer(server_folder / "nats-killed") as broker:
        holds_all_once(await Campaign(system, nats_streams(broker, "stock"), broker, following).run(STRIKES))


@WHOLE
async def test_a_stream_of_rabbitmq_holds_a_change_twice(
    system: ResidentSystem, server_folder: Path, following: Examples
) -> None:
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-killed") as broker:
        holds_all_once(await Campaign(system, rabbitmq_streams(broker, "stock"), broker, following, USER).run(STRIKES))


@WHOLE
async def test_a_queue_of_rabbitmq_lacks_a_change(
    system: ResidentSystem, server_folder: Path, following: Examples
) -> None:
    """It may have some twice, with the same id."""
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-queue") as broker:
        reader = await Campaign(system, await rabbitmq_queue(broker, "stock"), broker, following, USER).run(STRIKES)
    assert reader.starts_over


async def test_a_reader_keeps_what_a_restored_database_does_not_have(
    private_system: ProcessSystem,
    private_postgres: PostgresServer,
    kafka: Noida,
    stream_prefix: str,
    redis_url: str,
    empty_database_url: str,
    tmp_path: Path,
) -> None:
    """Nor do a cache and a table that follow."""
    campaign = Campaign(private_system, KafkaTopic(kafka.address, stream_prefix), None, None)
    async with campaign.relaying() as (ledger, api):
        async with selling(api, 1):
            await campaign.goes_on(SOLD)
        private_postgres.save("older")
        private_postgres.start()
        async with examples(
            tmp_path, redis_url, empty_database_url, kafka=kafka.address, prefix=stream_prefix
        ) as reading:
            async with selling(api, 2):
                await campaign.goes_on(SOLD)
            lost = (await campaign.read_to_the_end(ledger)).ids
            await reading.await_equal(ledger)
            await private_system.ledgers[0].stop()
            private_postgres.restore("older")
            private_postgres.start()
            await migrations.new_epoch(private_system.database_url)
            await private_system.ledgers[0].restart()
            async with selling(api, 3):
                await campaign.goes_on(SOLD)
                reading.kill()
            reader = await campaign.read_to_the_end(ledger)
            await reading.await_equal(ledger)
            assert not reading.revived, "they end by themselves for nothing of this"
    assert set(lost) < set(reader.ids)
    holds_all_once(reader)


def holds_all_once(reader: Reader) -> None:
    """What ``run`` has not compared yet. Each shard that had changes has had another history."""
    assert reader.repeats == 0
    assert reader.starts_over
