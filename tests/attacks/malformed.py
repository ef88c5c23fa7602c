"""Attacks by form: heads and bodies that cost more to read than to send."""

import asyncio
from functools import partial

from websockets.exceptions import ConnectionClosed

from tests.attacks.attack import Met, Target, at_once, attack
from tests.harness.raw_socket import raw_socket
from tests.harness.stream import Stream, open_stream

BOMBS = 50
DEPTH = 60_000
NESTED = "[" * DEPTH


@attack("heads of 64 KiB and of 10,000 headers, on every port", "431", "400, cut off")
async def heads(target: Target, met: Met) -> None:
    large = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 4_000) for number in range(17))
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(10_000))
    for url in (target.streams[0], target.reads[0], target.ledger):
        for head in (large, many):
            bomb = b"GET /v1/levels HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n"
            await at_once(max(2, int(BOMBS * target.full)), partial(_explode, url, bomb, met))


@attack("JSON nested 60,000 deep", "close 4005", "error invalid, 400, 422")
async def nesting(target: Target, met: Met) -> None:
    for nested in (NESTED, NESTED[: DEPTH // 2] + "]" * (DEPTH // 2)):
        for member in ("location", "ignored"):
            async with open_stream(target.streams[0], target.key) as stream:
                await stream.send_raw(
                    f'{{"type":"subscribe","id":1,"location":"{target.location}","{member}":{nested}}}'
                )
                await _answered(stream, met)
    headers = {"Content-Type": "application/json", "Idempotency-Key": "nested"}
    for url in (f"{target.reads[0]}/v1/levels/query", f"{target.ledger}/v1/levels/query"):
        for content in (NESTED, f'{{"keys":{NESTED}', '{"a":' * 10_000):
            await met.http("POST", url, target.key, content=content, headers=headers)


async def _answered(stream: Stream, met: Met) -> None:
    """Ended, or told what is wrong. Raises TimeoutError when neither comes."""
    try:
        met[f"error {(await stream.expect('error'))['code']}"] += 1
    except ConnectionClosed as ended:
        met[f"close {ended.rcvd.code}" if ended.rcvd else "cut off"] += 1


async def _explode(url: str, bomb: bytes, met: Met) -> None:
    try:
        async with raw_socket(url) as socket:
            met[str((await socket.handshake(bomb))[0])] += 1
    except (OSError, asyncio.IncompleteReadError):
        met["cut off"] += 1


MALFORMED = (heads, nesting)
