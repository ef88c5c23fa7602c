"""Of what RabbitMQ delivered that is acknowledged which ended, and nothing else, in whatever order it ends."""

import asyncio
from typing import Any

import pytest
from aio_pika import Message
from aiormq.channel import Channel

from followers.brokers.broker import broker_of
from followers.brokers.rabbitmq import RabbitmqConnection
from followers.intake.sources.rabbitmq_acks import Acks
from server.settings.environment import Environment
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.waiting import PATIENCE_S

MESSAGES = 9
ENDING = [(4, 2), (1,), (6, 5), (9,)]
"""By their numbers in the queue, together and one after the other; 3, 7 and 8 never end."""


@pytest.mark.parametrize("gap", [False, True], ids=["all came", "one did not"])
@pytest.mark.usefixtures("processes")
async def test_what_has_not_ended_comes_again_and_nothing_else(
    gap: bool, rabbitmq: RabbitMQ, stream_prefix: str
) -> None:
    """``gap``: a delivery with a number before theirs never comes to who acknowledges."""
    broker = broker_of(Environment({"FROM": f"rabbitmq://{rabbitmq.address}"}), "FROM", {})
    name = f"{stream_prefix}.acks"
    async with asyncio.timeout(PATIENCE_S), RabbitmqConnection(broker, "acks") as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(name, durable=True, arguments={"x-queue-type": "quorum"})
        for number in range(0 if gap else 1, MESSAGES + 1):
            await channel.default_exchange.publish(Message(b"%d" % number), name)
        frames = await channel.get_underlay_channel()
        assert isinstance(frames, Channel)
        acks = Acks(connection, frames)
        if gap:
            await queue.get(no_ack=True)
        tags: dict[int, int] = {}
        delivered: asyncio.Queue[Any] = asyncio.Queue()
        await queue.consume(delivered.put)
        for _ in range(MESSAGES):
            one = await delivered.get()
            tags[int(one.body)] = one.delivery_tag
            acks.come(one.delivery_tag)
        for together in ENDING:
            await asyncio.gather(*(acks.end(tags[number]) for number in together))
    async with asyncio.timeout(PATIENCE_S), RabbitmqConnection(broker, "acks") as connection:
        queue = await (await connection.channel()).declare_queue(name, passive=True)
        left = [int((await queue.get()).body) for _ in range(3)]
        assert left == [3, 7, 8]
        assert await queue.get(fail=False) is None
