"""Relays and their broker killed while sales go on: a reader by the consumer's rule holds the ledger's log, no more.

A whole campaign strikes two hundred times for each kind of broker; `make test` has what shows that it works.
"""

from pathlib import Path

import pytest

from ledger import migrations
from tests.followers.relay.campaign import Campaign
from tests.followers.relay.examples import examples
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
USER = {"STOCKWIRE_BROKER_USER": "guest", "STOCKWIRE_BROKER_PASSWORD": "guest"}
SOLD = 20
"""Events between two things that are done to a database."""

pytestmark = [pytest.mark.timeout(3 * SIZE.timeout_s), pytest.mark.usefixtures("campaign")]
"""Longer than each of their waits, which say what was not there in time."""
WHOLE = pytest.mark.skipif(SIZE.share < 1, reason="make campaign: each make test kills Apache Kafka and NATS")


@WHOLE
async def test_what_speaks_like_kafka_shows_a_change_twice(
    system: ResidentSystem, kafka: Noida, stream_prefix: str
) -> None:
    """Its broker is never killed: see ``Noida``."""
    holds_all_once(await Campaign(system, KafkaTopic(kafka.address, stream_prefix), None).run(STRIKES))


async def test_kafka_shows_a_change_twice(system: ResidentSystem, server_folder: Path) -> None:
    need_apache_kafka()
    with ApacheKafka(server_folder / "kafka-killed") as broker:
        holds_all_once(await Campaign(system, KafkaTopic(broker.address, "stock"), broker).run(STRIKES))


async def test_nats_holds_a_change_twice(system: ResidentSystem, server_folder: Path) -> None:
    with NatsServer(server_folder / "nats-killed") as broker:
        holds_all_once(await Campaign(system, nats_streams(broker, "stock"), broker).run(STRIKES))


@WHOLE
async def test_a_stream_of_rabbitmq_holds_a_change_twice(system: ResidentSystem, server_folder: Path) -> None:
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-killed") as broker:
        holds_all_once(await Campaign(system, rabbitmq_streams(broker, "stock"), broker, USER).run(STRIKES))


@WHOLE
async def test_a_queue_of_rabbitmq_lacks_a_change(system: ResidentSystem, server_folder: Path) -> None:
    """It may have some twice, with the same id."""
    need_rabbitmq()
    with RabbitMQ(server_folder / "rabbitmq-queue") as broker:
        reader = await Campaign(system, await rabbitmq_queue(broker, "stock"), broker, USER).run(STRIKES)
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
    campaign = Campaign(private_system, KafkaTopic(kafka.address, stream_prefix), None)
    async with campaign.relaying() as (ledger, api):
        async with selling(api, 1):
            await campaign.goes_on(SOLD)
        private_postgres.save("older")
        private_postgres.start()
        async with examples(kafka.address, stream_prefix, tmp_path, redis_url, empty_database_url) as following:
            async with selling(api, 2):
                await campaign.goes_on(SOLD)
            lost = (await campaign.read_to_the_end(ledger)).ids
            await following.await_equal(ledger)
            await private_system.ledgers[0].stop()
            private_postgres.restore("older")
            private_postgres.start()
            await migrations.new_epoch(private_system.database_url)
            await private_system.ledgers[0].restart()
            async with selling(api, 3):
                await campaign.goes_on(SOLD)
                following.kill()
            reader = await campaign.read_to_the_end(ledger)
            await following.await_equal(ledger)
    assert set(lost) < set(reader.ids)
    holds_all_once(reader)


def holds_all_once(reader: Reader) -> None:
    """What ``run`` has not compared yet. Each shard that had changes has had another history."""
    assert reader.repeats == 0
    assert reader.starts_over
