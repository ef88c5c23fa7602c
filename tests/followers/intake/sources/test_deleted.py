"""What is deleted under an intake is noticed, and it goes on by itself with what it makes in its place."""

from collections.abc import Awaitable, Callable

import aio_pika
import nats as nats_py
import pytest
from nats.aio.msg import Msg

from tests.followers.intake.queues import NatsQueue, Queue, RabbitMQQueue
from tests.followers.intake.running import readiness, running, sale, until_ready
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

RECONNECTED_MAX = 10
"""Times in all: each waits longer than the one before."""

pytestmark = pytest.mark.usefixtures("processes")


async def reason_of(
    queue: Queue,
    delete: Callable[[], Awaitable[None]],
    system: ResidentSystem,
    prefix: str,
    log: pytest.LogCaptureFixture,
) -> str:
    """What an intake says when that happens to it, and after which it answers a command."""
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    async with running(system, STOCKWIRE_INTAKE_FROM=queue.url, STOCKWIRE_INTAKE_PREFIX=prefix) as intake:
        counts = intake.applying.counts
        await until_ready(intake)
        await queue.send([sale("before", "berlin", "A")])

        async def begun() -> bool:
            return counts.done > 0

        async def noticed() -> bool:
            return counts.reconnected > 0

        await wait_until(begun)
        await delete()
        await wait_until(noticed)
        await until_ready(intake)
        await queue.send([sale("behind", "berlin", "A")])

        async def told() -> bool:
            return "behind" in {one.headers["causationid"] for one in await queue.results()}

        await wait_until(told, what="the command behind it is answered")
        assert await readiness(intake) is None
        assert counts.reconnected <= RECONNECTED_MAX
    return log.text


async def test_a_queue_of_rabbitmq_that_is_deleted(
    system: ResidentSystem, rabbitmq: RabbitMQ, stream_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = RabbitMQQueue(rabbitmq.address, stream_prefix)
    await queue.make()

    async def delete() -> None:
        async with await aio_pika.connect(rabbitmq.url) as connection, connection.channel() as channel:
            await channel.queue_delete(f"{stream_prefix}.commands")

    said = await reason_of(queue, delete, system, stream_prefix, caplog)
    assert f"the queue {stream_prefix}.commands was deleted" in said


@pytest.mark.parametrize("what", ["consumer", "stream"])
async def test_a_consumer_or_a_stream_of_nats_that_is_deleted(
    what: str, system: ResidentSystem, nats: NatsServer, stream_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    stream = f"{stream_prefix}-commands"

    async def delete() -> None:
        client = await nats_py.connect(nats.url)
        try:
            jetstream = client.jetstream()
            assert await (
                jetstream.delete_consumer(stream, "intake") if what == "consumer" else jetstream.delete_stream(stream)
            )
        finally:
            await client.close()

    said = await reason_of(queue, delete, system, stream_prefix, caplog)
    assert f"the consumer intake of the stream {stream} gives nothing (409 Consumer Deleted" in said


async def test_that_a_server_of_nats_ends_is_not_taken_for_a_deletion(
    system: ResidentSystem, nats: NatsServer, stream_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    client = await nats_py.connect(nats.url)
    asked: list[Msg] = []

    async def note(message: Msg) -> None:
        asked.append(message)

    async def end() -> None:
        """As a server says it to whoever waits for messages, when it is told to end."""
        await client.publish(asked[-1].reply, headers={"Status": "409", "Description": "Server Shutdown"})

    try:
        await client.subscribe(f"$JS.API.CONSUMER.MSG.NEXT.{stream_prefix}-commands.intake", cb=note)
        said = await reason_of(queue, end, system, stream_prefix, caplog)
    finally:
        await client.close()
    assert "NATS is away: 409 Server Shutdown" in said
    assert "deletes" not in said
