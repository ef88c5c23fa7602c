"""What is dead lands in ``dead``, whatever its headers are, and stops no command behind it."""

from collections.abc import Sequence
from typing import Any

import aio_pika
import orjson
import pytest

from followers.brokers.broker import broker_of
from followers.brokers.nats_client import NatsConnection, command
from followers.intake.laid_aside import LEFT_OUT, PROBLEM_HEADER
from server.settings.environment import Environment
from tests.followers.intake.queues import KafkaQueue, NatsQueue, Queue, RabbitMQQueue, Told
from tests.followers.intake.running import readiness, running, sale, until_ready
from tests.followers.nameless import NO_UTF8, NoText, send_nameless
from tests.harness.brokers.apache_kafka import Kafka
from tests.harness.brokers.nats_server import NatsServer
from tests.harness.brokers.rabbitmq import RabbitMQ
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

FRAME_BYTES = 131_072
"""The most that RabbitMQ takes by default, and so the most that headers may have."""
NATS_HEADERS_BYTES = 2**16 - 1
SMALL = "small"

HOT = 100
"""Times, after which Python calls a method faster and looks at its answer no more."""


pytestmark = pytest.mark.usefixtures("processes")


async def dead_of(queue: Queue, many: int, system: ResidentSystem, prefix: str) -> Sequence[Told]:
    """When so many are laid aside, and a command behind them is answered."""
    await system.start_ledger()
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock("berlin", "A", 100)
    await queue.send([sale("behind", "berlin", "A")])
    async with running(system, STOCKWIRE_INTAKE_FROM=queue.url, STOCKWIRE_INTAKE_PREFIX=prefix) as intake:
        await until_ready(intake)

        async def told() -> bool:
            return len(await queue.results()) == 1 and len(await queue.dead()) >= many

        await wait_until(told, what="all are told")
        assert await readiness(intake) is None
        assert intake.applying.counts.reconnected == 0
    return await queue.dead()


def problem_of(one: Told) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(one.headers[PROBLEM_HEADER])
    return found


async def test_a_header_of_kafka_whose_name_is_no_text_ends_no_intake(
    system: ResidentSystem, kafka: Kafka, stream_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client raises an error of Python itself, and asked again gives what ends the process."""
    queue = KafkaQueue(kafka.address, stream_prefix, 1)
    await queue.make()
    await send_nameless(kafka.address, f"{stream_prefix}.commands", b"nonsense", HOT, monkeypatch)
    for dead in await dead_of(queue, HOT, system, stream_prefix):
        assert dead.value == b"nonsense"
        assert dead.headers.keys() == {PROBLEM_HEADER}
        assert problem_of(dead)["field"] == "headers"
        assert problem_of(dead)[LEFT_OUT] == "all headers"


async def test_headers_that_rabbitmq_takes_only_without_a_problem_are_left_out_the_largest_first(
    system: ResidentSystem, rabbitmq: RabbitMQ, stream_prefix: str
) -> None:
    queue = RabbitMQQueue(rabbitmq.address, stream_prefix)
    await queue.make()
    full: dict[str, Any] = {SMALL: "1", "large": "x" * (FRAME_BYTES - 200)}
    odd: dict[str, Any] = {SMALL: "2", "no text": NoText(), "many": [1, True, None, NoText()]}
    nameless: dict[str, Any] = {NoText("x"): 1}
    async with await aio_pika.connect(rabbitmq.url) as connection, connection.channel() as channel:
        for headers in (nameless, full, odd):
            message = aio_pika.Message(b"nonsense", headers=headers, message_id="one")
            await channel.default_exchange.publish(message, f"{stream_prefix}.commands")
    dead = {one.headers.get(SMALL, "none"): one for one in await dead_of(queue, 3, system, stream_prefix)}
    assert {one.value for one in dead.values()} == {b"nonsense"}
    assert dead["none"].headers.keys() == {PROBLEM_HEADER}
    assert problem_of(dead["none"])["field"] == "headers"
    assert problem_of(dead["none"])[LEFT_OUT] == "all headers and properties"
    assert "large" not in dead["1"].headers
    assert problem_of(dead["1"])[LEFT_OUT].startswith("1 header of 130,")
    assert dead["2"].headers["no text"] == str(bytearray(NO_UTF8))
    assert problem_of(dead["2"])[LEFT_OUT] == "1 header that cannot be written again"


async def test_headers_that_a_stream_takes_only_without_a_problem_are_left_out_the_largest_first(
    system: ResidentSystem, nats: NatsServer, stream_prefix: str
) -> None:
    queue = NatsQueue(nats.address, stream_prefix)
    await queue.make()
    broker = broker_of(Environment({"FROM": nats.url}), "FROM", {})
    async with NatsConnection(broker, "sender") as connection:
        headers = {SMALL: "1", "large": "x" * (NATS_HEADERS_BYTES - 200)}
        await connection.jetstream.publish(f"{stream_prefix}.commands", b"nonsense", headers=headers)
        odd = f"{SMALL}: 2\r\nno(name: 1\r\nno\xff: 1\r\n: 1\r\nnowhere\r\n"
        await connection.client.send([command(f"{stream_prefix}.commands", odd, b"nonsense")])
        await connection.client.flush()
    dead = {one.headers[SMALL]: one for one in await dead_of(queue, 2, system, stream_prefix)}
    assert {one.value for one in dead.values()} == {b"nonsense"}
    assert "large" not in dead["1"].headers
    assert problem_of(dead["1"])[LEFT_OUT] == "1 header of 65,344 bytes"
    assert problem_of(dead["2"])[LEFT_OUT].endswith("that cannot be written again")
