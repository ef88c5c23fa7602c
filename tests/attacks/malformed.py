"""Attacks by form: heads and bodies that cost more to read than to send."""

import asyncio
from functools import partial

from tests.attacks.attack import Met, Target, at_once, attack
from tests.raw_socket import raw_socket
from tests.stream import open_stream

BOMBS = 50
NESTED = "[" * 60_000


@attack("heads of 64 KiB and of 10,000 headers, on every port", "431", "400, cut off")
async def heads(target: Target, met: Met) -> None:
    large = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 4_000) for number in range(17))
    many = b"".join(b"X-%d: 1\r\n" % number for number in range(10_000))
    for url in (target.streams[0], target.reads[0], target.ledger):
        for head in (large, many):
            bomb = b"GET /v1/levels HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n"
            await at_once(max(2, int(BOMBS * target.full)), partial(_explode, url, bomb, met))


@attack("JSON nested 60,000 deep", "error invalid, 400", "422")
async def nesting(target: Target, met: Met) -> None:
    async with open_stream(target.streams[0], target.key) as stream:
        for number in range(20):
            subscribe = f'{{"type":"subscribe","id":{number},"location":{NESTED}'
            await stream.send_raw(subscribe)
            met[f"error {(await stream.expect('error'))['code']}"] += 1
    headers = {"Content-Type": "application/json", "Idempotency-Key": "nested"}
    for url in (f"{target.reads[0]}/v1/levels/query", f"{target.ledger}/v1/levels/query"):
        for content in (NESTED, f'{{"keys":{NESTED}', '{"a":' * 10_000):
            await met.http("POST", url, target.key, content=content, headers=headers)


async def _explode(url: str, bomb: bytes, met: Met) -> None:
    try:
        async with raw_socket(url) as socket:
            met[str((await socket.handshake(bomb))[0])] += 1
    except (OSError, asyncio.IncompleteReadError):
        met["cut off"] += 1


MALFORMED = (heads, nesting)
