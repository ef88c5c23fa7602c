"""Attacks by number: frames, handshakes, subscriptions, connections that stay."""

import asyncio
import json
import os
import time
from functools import partial
from urllib.parse import urlsplit

import httpx

from tests.attacks.attack import Met, Target, at_once, attack
from tests.harness.raw_socket import CONTINUATION, PING, TEXT, RawSocket, masked_with, raw_frame, raw_socket
from tests.harness.stream import Stream, open_stream

CLIENTS = 10
FRAGMENTS = 400_000
PINGS = 100_000
READS_S = 5.0
READS_SHARE_MIN = 0.6  # less would fit what an owner may send at once
HANDSHAKES_PER_S, HANDSHAKES_S = 2_000, 5.0
HANDSHAKES_SHARE_MIN = 0.4  # less would fit the burst that a hub allows
SLOW = 100
CHUNK = 65_536
ANSWER_S = 40.0
"""Longer than any deadline of a server: who has no answer by then was forgotten."""
TICK_S = 0.01


@attack("frames of 16 MB", "close 4009", "cut off")
async def large_frames(target: Target, met: Met) -> None:
    mask = os.urandom(4)
    payload = masked_with(mask, b"x" * (16 * 2**20))
    head = raw_frame(TEXT, mask=mask)[:1] + bytes((0x80 | 127,)) + len(payload).to_bytes(8, "big") + mask
    await at_once(_clients(target), partial(_pour, target, met, head + payload))


@attack("400,000 empty fragments", "close 4102", "cut off")
async def fragments(target: Target, met: Met) -> None:
    frames = raw_frame(TEXT, final=False) + raw_frame(CONTINUATION, final=False, mask=b"mask") * FRAGMENTS
    await at_once(_clients(target), partial(_pour, target, met, frames))


@attack("a flood of pings from a client that never reads", "close 4102", "cut off")
async def pings(target: Target, met: Met) -> None:
    await at_once(_clients(target), partial(_pour, target, met, raw_frame(PING, b"p" * 125, mask=b"mask") * PINGS))


@attack("a flood of subscriptions", "close 4102", "error limit, cut off")
async def subscriptions(target: Target, met: Met) -> None:
    async def one() -> None:
        await _requests(target, met, {"location": target.location, "skus": [f"S{n}" for n in range(20)]})

    await at_once(_clients(target), one)


@attack("a flood of resumes from positions ahead of everything", "close 4102", "error limit, cut off")
async def resumes(target: Target, met: Met) -> None:
    ahead = {**target.position, "seq": dict.fromkeys(target.position["seq"], 2**50)}
    ahead.pop("selection", None)

    async def one() -> None:
        await _requests(target, met, {"location": target.location, "since": ahead})

    await at_once(_clients(target), one)


@attack("a flood of reads over HTTP, where an owner may send 200 a second", "200, 429")
async def reads(target: Target, met: Met) -> None:
    """Over both hubs, which count together."""

    async def one() -> None:
        headers = {"Authorization": f"Bearer {target.greedy}"}
        until = time.monotonic() + READS_S * max(READS_SHARE_MIN, target.full)
        async with httpx.AsyncClient(headers=headers, trust_env=False, verify=False, timeout=ANSWER_S) as reader:
            while time.monotonic() < until or not met["429"]:
                for hub in target.reads:
                    answer = await reader.get(f"{hub}/v1/levels/{target.location}/S0")
                    met[str(answer.status_code)] += 1

    await at_once(_clients(target), one)


@attack("2,000 handshakes a second", "101", "503, cut off")
async def handshakes(target: Target, met: Met) -> None:
    """How many can be made depends on the machine that attacks: the counts say it."""
    parts = urlsplit(target.streams[0])
    head = (
        f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
    loop = asyncio.get_running_loop()
    begun, made = time.monotonic(), 0
    waiting: set[asyncio.Future[None]] = set()
    while (passed := time.monotonic() - begun) < HANDSHAKES_S * max(HANDSHAKES_SHARE_MIN, target.full):
        for _ in range(int(passed * HANDSHAKES_PER_S) - made):
            made += 1
            one = loop.create_task(_handshake(parts.hostname or "", parts.port or 0, head, met))
            waiting.add(one)
            one.add_done_callback(waiting.discard)
        await asyncio.sleep(TICK_S)
    if waiting:
        await asyncio.wait(waiting)


@attack("slowloris, heads and bodies, on every port", "cut off, 400", "408, 413, 431")
async def slowloris(target: Target, met: Met) -> None:
    """Each connection sends a byte a second for as long as it is let."""
    host = b" HTTP/1.1\r\nHost: x\r\n"
    body = (
        b"Authorization: Bearer %b\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n" % target.key.encode()
    )
    starts = [
        (target.streams[0], b"GET /v1/stream" + host),
        (target.reads[0], b"GET /v1/levels" + host),
        (target.ledger, b"GET /v1/levels" + host),
        (target.reads[0], b"POST /v1/levels/query" + host + body + b"\r\n"),
        (target.ledger, b"POST /v1/levels/query" + host + body + b"\r\n"),
    ]
    number = max(5, int(SLOW * target.full))
    async with asyncio.TaskGroup() as tasks:
        for url, start in starts * number:
            tasks.create_task(_drip(url, start, met))


def _clients(target: Target) -> int:
    return max(3, int(CLIENTS * target.full))


async def _requests(target: Target, met: Met, selection: dict[str, object]) -> None:
    async with open_stream(target.streams[0], target.key) as stream:
        sending = asyncio.ensure_future(_send_all(stream, selection))
        await met.errors(stream)
        sending.cancel()
        await asyncio.wait([sending])


async def _send_all(stream: Stream, selection: dict[str, object]) -> None:
    for number in range(1_000, 2_000):
        await stream.send_raw(json.dumps({"type": "subscribe", "id": number, **selection}))


async def _pour(target: Target, met: Met, frames: bytes) -> None:
    """Connect, authenticate, send all of it without reading, then see how it ended."""
    async with raw_socket(target.streams[0]) as socket:
        headers = {"Authorization": f"Bearer {target.key}"}
        assert await socket.upgrade(target.streams[0], headers) == 101
        await socket.send(raw_frame(TEXT, json.dumps({"type": "connect", "id": 1}).encode()))
        try:
            for start in range(0, len(frames), CHUNK):
                await socket.send(frames[start : start + CHUNK])
        except (ConnectionError, TimeoutError):
            pass
        code = await _close_code(socket)
        met["cut off" if code is None else f"close {code}"] += 1


async def _close_code(socket: RawSocket) -> int | None:
    try:
        return await socket.closed()
    except TimeoutError:
        return None


async def _handshake(host: str, port: int, head: bytes, met: Met) -> None:
    try:
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(head)
            async with asyncio.timeout(ANSWER_S):
                answer = await reader.readuntil(b"\r\n")
            met[answer.split()[1].decode()] += 1
        finally:
            writer.transport.abort()
    except (OSError, asyncio.IncompleteReadError):
        met["cut off"] += 1


async def _drip(url: str, start: bytes, met: Met) -> None:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    dripping = asyncio.ensure_future(_send_slowly(writer, start))
    try:
        async with asyncio.timeout(ANSWER_S):
            answer = await reader.readline()
        met[answer.split()[1].decode() if answer else "cut off"] += 1
    except OSError:
        met["cut off"] += 1
    finally:
        dripping.cancel()
        await asyncio.wait([dripping])
        writer.transport.abort()


async def _send_slowly(writer: asyncio.StreamWriter, start: bytes) -> None:
    writer.write(start)
    while not writer.is_closing():
        await asyncio.sleep(1)
        writer.write(b"x")


FLOODS = (large_frames, fragments, pings, subscriptions, resumes, reads, handshakes, slowloris)
