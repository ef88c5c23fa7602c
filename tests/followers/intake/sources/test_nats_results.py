"""Results that are written together are each there once, also where the server has some of them already."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from nats.js.api import StreamConfig

from followers.brokers.broker import broker_of
from followers.brokers.nats_client import NatsConnection
from followers.intake.sources.nats_results import NatsResults
from server.settings.environment import Environment
from tests.harness.brokers.nats_server import NatsServer

MANY = 50


@pytest.fixture
async def connection(nats: NatsServer) -> AsyncIterator[NatsConnection]:
    broker = broker_of(Environment({"STOCKWIRE_INTAKE_FROM": nats.url}), "STOCKWIRE_INTAKE_FROM", {})
    async with NatsConnection(broker, "results") as connection:
        yield connection


@pytest.fixture(params=[True, False], ids=["a stream of batches", "of none"])
async def results(request: pytest.FixtureRequest, connection: NatsConnection, stream_prefix: str) -> NatsResults:
    config = StreamConfig(name=stream_prefix, subjects=[stream_prefix], allow_atomic=request.param)
    await connection.jetstream.add_stream(config)
    return NatsResults(connection, stream_prefix, batches=request.param)


async def kept(connection: NatsConnection, stream: str) -> int:
    return (await connection.jetstream.stream_info(stream)).state.messages


def told(results: NatsResults, number: int) -> asyncio.Task[None]:
    return asyncio.ensure_future(results.tell({"Nats-Msg-Id": str(number)}, b"{}"))


async def test_what_is_told_again_with_what_is_new_is_there_once(
    connection: NatsConnection, results: NatsResults, stream_prefix: str
) -> None:
    await asyncio.gather(*(told(results, number) for number in range(MANY)))
    assert await kept(connection, stream_prefix) == MANY
    await asyncio.gather(*(told(results, number) for number in range(MANY // 2, 2 * MANY)))
    assert await kept(connection, stream_prefix) == 2 * MANY


async def test_one_that_is_given_up_takes_no_other_with_it(
    connection: NatsConnection, results: NatsResults, stream_prefix: str
) -> None:
    tasks = [told(results, number) for number in range(MANY)]
    await tasks[0]  # alone, as it was the first; the others are under way together
    await asyncio.sleep(0)
    tasks[2].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert all(number == 2 or task.exception() is None for number, task in enumerate(tasks))
    assert await kept(connection, stream_prefix) >= MANY - 1


async def test_a_stream_that_takes_no_batches_any_more_gets_each_alone(
    connection: NatsConnection, stream_prefix: str
) -> None:
    await connection.jetstream.add_stream(StreamConfig(name=stream_prefix, subjects=[stream_prefix]))
    results = NatsResults(connection, stream_prefix, batches=True)
    await asyncio.gather(*(told(results, number) for number in range(MANY)))
    assert await kept(connection, stream_prefix) == MANY
