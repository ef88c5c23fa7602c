"""No more commands of Kafka are in hand than there is room for, and what the broker finds too large stops nothing."""

import asyncio
import time
from collections.abc import AsyncIterator

import orjson
import pytest

from followers.brokers.broker import broker_of
from followers.intake.answering import unreadable
from followers.intake.laid_aside import LEFT_OUT, PROBLEM_HEADER, problem_text
from followers.intake.sources.kafka_reader import RECORD_BYTES_MAX, Partition, Reader, Record
from server.settings.environment import Environment
from tests.followers.intake.queues import KafkaQueue
from tests.followers.intake.running import sale
from tests.harness.waiting import PATIENCE_S

SMALL = b"y" * 1_000
ABOVE = {"kafka": RECORD_BYTES_MAX, "apache_kafka": 2**20}
"""What is too large with its headers: for the client, and for the broker as it comes."""
TRIES = 5
"""The client tells of what the broker refuses in one call or another, by chance."""

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture
async def queue(request: pytest.FixtureRequest, stream_prefix: str) -> KafkaQueue:
    broker = request.getfixturevalue(getattr(request, "param", "kafka"))
    made = KafkaQueue(broker.address, stream_prefix)
    await made.make()
    return made


@pytest.fixture
async def reader(queue: KafkaQueue, stream_prefix: str) -> AsyncIterator[Reader]:
    made = Reader(broker_of(Environment({"FROM": queue.url}), "FROM", {}), stream_prefix, 1, "")
    await asyncio.to_thread(made.open)
    yield made
    await asyncio.to_thread(made.close)


async def test_what_is_assigned_while_there_is_no_room_brings_nothing_until_there_is(
    queue: KafkaQueue, reader: Reader
) -> None:
    await queue.send([sale("1", "berlin", "A")])

    def polled() -> None:
        reader.pause(paused=True)
        _until_assigned(reader)
        for _ in range(5):
            reader.poll(1, 0.1)
        assert _waiting(reader) == 0
        reader.pause(paused=False)
        end = time.monotonic() + PATIENCE_S
        while _waiting(reader) == 0 and time.monotonic() < end:
            reader.poll(1, 0.1)
        assert _waiting(reader) == 1

    await asyncio.to_thread(polled)


@pytest.mark.parametrize("queue", ABOVE, indirect=True)
async def test_a_dead_message_that_is_too_large_with_its_problem_goes_without_what_is_large_alone(
    queue: KafkaQueue, reader: Reader, request: pytest.FixtureRequest
) -> None:
    large = b"x" * ABOVE[request.node.callspec.params["queue"]]
    problem = unreadable("data", "is no JSON object").problem
    headers = [("ce_id", b"1"), (PROBLEM_HEADER, problem_text(problem).encode())]

    def settled() -> None:
        partition = _until_assigned(reader)
        for number in range(TRIES):
            for offset, value in enumerate((SMALL, large, SMALL), 3 * number):
                partition.progress.take(offset)
                partition.progress.done(offset, Record(reader.dead, None, value, headers))
            reader.settle([partition])
        partition.progress.take(3 * TRIES)
        whole = [("large", large), ("small", b"1"), *headers]
        partition.progress.done(3 * TRIES, Record(reader.dead, large[: len(large) // 2], SMALL, whole))
        reader.settle([partition])

    await asyncio.to_thread(settled)
    dead = await queue.dead()
    (bare,) = (one for one in dead if "small" in one.headers)
    dead.remove(bare)
    assert bare.value == SMALL, "which fits"
    assert bare.headers.keys() == {"id", "small", PROBLEM_HEADER}
    left_out = orjson.loads(bare.headers[PROBLEM_HEADER])[LEFT_OUT]
    assert f"the key of {len(large) // 2:,} bytes" in left_out
    assert "1 header of " in left_out
    assert sorted(one.value for one in dead) == [*[b""] * TRIES, *[SMALL] * 2 * TRIES]
    problems = {one.value: orjson.loads(one.headers[PROBLEM_HEADER]) for one in dead}
    assert problems[SMALL] == problem
    assert f"{len(large):,} bytes" in problems[b""].pop(LEFT_OUT)
    assert problems[b""] == problem


def _until_assigned(reader: Reader) -> Partition:
    end = time.monotonic() + PATIENCE_S
    while not reader.partitions and time.monotonic() < end:
        reader.poll(1, 0.1)
    return next(iter(reader.partitions.values()))


def _waiting(reader: Reader) -> int:
    return sum(len(one.waiting) for one in reader.partitions.values())
