"""What was never begun is not laid aside, however often a server has given it to somebody."""

import asyncio

import nats as nats_py
import pytest
from nats.js.api import AckPolicy, ConsumerConfig

from followers.brokers.broker import broker_of
from followers.brokers.nats_client import NatsConnection
from followers.intake.answering import DELIVERIES_MAX
from followers.intake.sources.nats import CONSUMER
from followers.intake.sources.nats_begun import Begun
from server.settings.environment import Environment
from tests.followers.intake.queues import NatsQueue
from tests.followers.intake.running import running, sale, until_ready
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api

pytestmark = pytest.mark.usefixtures("processes")


async def delivered(queue: NatsQueue, prefix: str, times: int) -> None:
    """All that waits, so often, to somebody who begins nothing."""
    client = await nats_py.connect(queue.url)
    try:
        taking = await client.jetstream(timeout=PATIENCE_S).pull_subscribe_bind(CONSUMER, f"{prefix}-commands")
        for _ in range(times):
            for message in await taking.fetch(2, PATIENCE_S):
                await message.nak()
    finally:
        await client.close()


async def test_what_waited_behind_a_command_that_ends_the_process_is_laid_aside(
    system: ResidentSystem, nats: NatsServer, stream_prefix: str
) -> None:
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    taking = {"STOCKWIRE_INTAKE_FROM": queue.url, "STOCKWIRE_INTAKE_PREFIX": stream_prefix}
    async with running(system, **taking) as intake:
        await until_ready(intake)
    await queue.send([sale(id_, "berlin", "A") for id_ in ("one", "two")])
    await delivered(queue, stream_prefix, DELIVERIES_MAX + 2)
    async with running(system, **taking):

        async def told() -> bool:
            return {"one", "two"} <= {one.headers["causationid"] for one in await queue.results()}

        await wait_until(told, what="both are answered")
    assert not await queue.dead()


async def test_who_takes_over_forgets_how_often_a_command_was_begun(nats: NatsServer, stream_prefix: str) -> None:
    broker = broker_of(Environment({"STOCKWIRE_INTAKE_FROM": nats.url}), "STOCKWIRE_INTAKE_FROM", {})
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    consumer = ConsumerConfig(durable_name=CONSUMER, ack_policy=AckPolicy.EXPLICIT)
    async with asyncio.timeout(PATIENCE_S), NatsConnection(broker, "a test") as connection:
        first, second = (Begun(connection, f"{stream_prefix}-commands", consumer) for _ in range(2))
        await first.make()
        await first.read()
        assert [await first.times(7) for _ in range(3)] == [2, 3, 4]
        await second.make()
        await second.read()
        assert [await second.times(7), await second.times(8), await second.times(7)] == [5, 2, 2]
