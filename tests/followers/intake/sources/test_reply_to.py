"""Whoever asks for an answer in a queue of its own holds up nobody when that takes no more."""

from typing import Any

import aio_pika
import nats as nats_py
import orjson
import pytest

from followers.intake.command import ATTRIBUTE_CHARACTERS_MAX
from tests.followers.intake.queues import NatsQueue, RabbitMQQueue
from tests.followers.intake.running import command, readiness, running, sale, until_ready
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api
from wire.bindings import amqp_properties

EQUAL = 30

pytestmark = pytest.mark.usefixtures("processes")


async def test_a_result_that_the_queue_of_reply_to_refuses_goes_to_results(
    system: ResidentSystem, rabbitmq: RabbitMQ, stream_prefix: str
) -> None:
    await system.start_ledger()
    queue = RabbitMQQueue(rabbitmq.address, stream_prefix)
    await queue.make()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    settings = {"STOCKWIRE_INTAKE_FROM": queue.url, "STOCKWIRE_INTAKE_PREFIX": stream_prefix}
    amqp = f"amqp://guest:guest@{rabbitmq.address}/"
    async with await aio_pika.connect(amqp) as connection, connection.channel() as channel:
        bounded: dict[str, Any] = {"x-max-length": 1, "x-overflow": "reject-publish"}
        answers = await channel.declare_queue(exclusive=True, arguments=bounded)
        for id_ in ("1", "2"):
            sent = sale(id_, "berlin", "A")
            message = aio_pika.Message(
                sent.data,
                headers=dict(amqp_properties(sent.attributes)),
                content_type="application/json",
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                reply_to=answers.name,
            )
            await channel.default_exchange.publish(message, f"{stream_prefix}.commands")
        async with running(system, **settings) as intake:
            await until_ready(intake)

            async def told() -> bool:
                return len(await queue.results()) == 1

            await wait_until(told, what="the second result")
            assert await readiness(intake) is None
            assert intake.applying.counts.reconnected == 0
        first = await answers.get(timeout=PATIENCE_S, no_ack=True)
        assert first is not None
        (second,) = await queue.results()
    assert {orjson.loads(one)["status"] for one in (first.body, second.value)} == {201}
    assert {first.headers["cloudEvents:causationid"], second.headers["causationid"]} == {"1", "2"}


async def test_no_equal_answer_is_lost_where_the_queue_of_reply_to_is_gone(
    system: ResidentSystem, rabbitmq: RabbitMQ, stream_prefix: str
) -> None:
    """Under way at once they have one message id, by which alone the client knows what the broker gives back."""
    await system.start_ledger()
    queue = RabbitMQQueue(rabbitmq.address, stream_prefix)
    await queue.make()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    sold = {"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"}
    sent = command("movement", "1" * ATTRIBUTE_CHARACTERS_MAX, sold)  # more than a correlation id may have
    async with await aio_pika.connect(rabbitmq.url) as connection, connection.channel() as channel:
        message = aio_pika.Message(
            sent.data, headers=dict(amqp_properties(sent.attributes)), reply_to=f"{stream_prefix}-gone"
        )
        for _ in range(EQUAL):
            await channel.default_exchange.publish(message, f"{stream_prefix}.commands")
    settings = {"STOCKWIRE_INTAKE_FROM": queue.url, "STOCKWIRE_INTAKE_PREFIX": stream_prefix}
    async with running(system, **settings) as intake:

        async def told() -> bool:
            return intake.applying.counts.done == EQUAL and not intake.applying.in_flight

        await wait_until(told)
        await until_ready(intake)
    assert len(await queue.results()) == EQUAL
    assert intake.applying.counts.reconnected == 0


async def test_an_inbox_on_nats_is_told_as_well_and_no_other_subject_is(
    system: ResidentSystem, nats: NatsServer, stream_prefix: str
) -> None:
    """With the rights of the intake a sender could write to JetStream's own subjects."""
    await system.start_ledger()
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    settings = {"STOCKWIRE_INTAKE_FROM": queue.url, "STOCKWIRE_INTAKE_PREFIX": stream_prefix}
    client = await nats_py.connect(nats.url)
    try:
        inbox, elsewhere = client.new_inbox(), f"{stream_prefix}.elsewhere"
        waiting = await client.subscribe(inbox)
        other = await client.subscribe(elsewhere)
        await client.flush()
        sold = {"sku": "A", "location": "berlin", "quantity": -1, "kind": "sale"}
        told_to = {"1": elsewhere, "2": f"{inbox} x", "3": inbox}
        await queue.send([command("movement", id_, sold, replyto=to) for id_, to in told_to.items()])
        async with running(system, **settings) as intake:
            await until_ready(intake)
            answer = await waiting.next_msg(PATIENCE_S)
        assert answer.headers is not None
        assert answer.headers["ce-causationid"] == "3"
        assert orjson.loads(answer.data)["status"] == 201
        assert {one.headers["causationid"] for one in await queue.results()} == set(told_to), "results have all"
        await client.flush()
        assert (waiting.pending_msgs, other.pending_msgs) == (0, 0)
    finally:
        await client.close()
