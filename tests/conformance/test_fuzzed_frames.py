"""Mutated streams of frames: the hub comes to wsproto's verdict on each, or differs in a way that is written down."""

import asyncio
import contextlib
import logging
from collections import Counter

from tests.conformance.hub import AUTHORIZED, neighbour, watch
from tests.conformance.mutations import stream
from tests.conformance.verdicts import DIFFERENCES, by_hub, by_wsproto, scanned, with_coda
from tests.harness.chance import ROUNDS, SEED
from tests.harness.raw_socket import raw_socket
from tests.harness.system import System

STREAMS = 1_000 * ROUNDS
AT_ONCE = 16

logger = logging.getLogger(__name__)


async def test_mutated_frames_come_to_the_verdict_of_another_implementation(system: System) -> None:
    found: Counter[str] = Counter()
    numbers = iter(range(STREAMS))

    async def sender() -> None:
        for number in numbers:
            found.update([await outcome(system.stream_urls[0], f"{SEED}:{number}")])

    async with neighbour(system, "fuzzed"), asyncio.TaskGroup() as senders:
        for _ in range(AT_ONCE):
            senders.create_task(sender())
    logger.info("%d streams of seed %s: %s", STREAMS, SEED, dict(found.most_common()))
    assert found["agreed"] > STREAMS // 2


async def outcome(url: str, seed: str) -> str:
    """``agreed``, or the differences that explain it. Raises AssertionError with what repeats it."""
    data, stands = with_coda(stream(seed))
    code = await sent(url, data, ends=not stands)
    if code in by_wsproto(data).allows(ended=not stands):
        return "agreed"
    reading = by_hub(data)
    expected = reading.verdict().allows(ended=not stands)
    assert code in expected, (
        f"the hub closed with {code}, not {expected}; wsproto says {by_wsproto(data)}, differences {reading.used}.\n"
        f"Repeat: CONFORMANCE_SEED={SEED} pytest {__file__}; this is stream {seed}:\n{described(data)}"
    )
    assert reading.used, f"nothing explains why wsproto says {by_wsproto(data)}: stream {seed}:\n{described(data)}"
    assert reading.used <= DIFFERENCES.keys()
    return ", ".join(sorted(reading.used))


def described(data: bytes) -> str:
    """Frame by frame; payloads may be long, and the seed has them."""
    return "\n".join(f"{frame.raw[:14].hex(' ')} ... {frame.payload[:30]!r} {frame.length}" for frame in scanned(data))


async def sent(url: str, data: bytes, *, ends: bool) -> int | None:
    async with raw_socket(url) as socket:
        assert await socket.upgrade(url, AUTHORIZED) == 101
        with contextlib.suppress(ConnectionError):
            await socket.send(data)
            if ends:
                socket.end()
        return (await watch(socket)).code


def test_a_seed_is_one_stream() -> None:
    assert stream("7:1") == stream("7:1") != stream("7:2")
