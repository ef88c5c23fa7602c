"""RFC 6455 at a hub's stream port, row by row: see docs/reference/websocket-conformance.md."""

import asyncio
import contextlib

from tests.conformance.frames import ROWS
from tests.conformance.handshakes import HANDSHAKES
from tests.conformance.hub import AUTHORIZED, PROBE, Seen, neighbour, watch
from tests.conformance.page import PAGE, page
from tests.conformance.rows import GONE, Handshake, Row
from tests.harness.raw_socket import TEXT, raw_frame, raw_socket
from tests.harness.system import System

AT_ONCE = 16
"""Rows under way together: fewer than would make the deadlines of one another late."""
RATE = 4102


async def test_frames_are_judged_as_the_table_says(system: System) -> None:
    turns = asyncio.Semaphore(AT_ONCE)

    async def differs(row: Row) -> str | None:
        async with turns:
            return difference(row, await send(system.stream_urls[0], row))

    async with neighbour(system, "frames"):
        found = await asyncio.gather(*(differs(row) for row in ROWS))
    assert not [text for text in found if text], "\n".join(text for text in found if text)


async def send(url: str, row: Row) -> Seen:
    async with raw_socket(url) as socket:
        assert await socket.upgrade(url, AUTHORIZED) == 101
        with contextlib.suppress(ConnectionError):  # it may end before everything was sent
            for chunk in row.chunks:
                await socket.send(chunk)
            if row.ends:
                socket.end()
            else:
                await socket.send(raw_frame(TEXT, PROBE))
        return await watch(socket)


def difference(row: Row, seen: Seen) -> str | None:
    found = (seen.code, tuple(seen.replies), tuple(seen.pongs) if row.code != RATE else row.pongs)
    if found != (row.code, row.replies, row.pongs):
        return f"{row.group}, {row.name}: expected {(row.code, row.replies, row.pongs)}, found {found}"
    if seen.told not in (None, seen.code):
        return f"{row.group}, {row.name}: disconnect said {seen.told}, the close {seen.code}"
    return None


async def test_handshakes_are_judged_as_the_table_says(system: System) -> None:
    rows = [row for group in HANDSHAKES.values() for row in group]
    async with neighbour(system, "handshakes"):
        found = await asyncio.gather(*(shake(system.stream_urls[0], row) for row in rows))
    assert not [text for text in found if text], "\n".join(text for text in found if text)


async def shake(url: str, row: Handshake) -> str | None:
    async with raw_socket(url) as socket:
        try:
            status, headers = await socket.handshake(row.request)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            status, headers = GONE, {}
            if getattr(error, "partial", b""):
                return f"{row.name}: what came before the end was no answer: {error!r}"
        missing = {name: value for name, value in row.headers if headers.get(name.lower()) != value}
        if status != row.status or missing:
            return f"{row.name}: expected {row.answer}, found {status} {headers}"
        if row.after is None:
            return None
        with contextlib.suppress(ConnectionError):
            await socket.send(raw_frame(TEXT, PROBE))
        seen = difference(row.after, await watch(socket))
        return seen and row.name + seen


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tests.conformance.page"


def test_names_of_rows_are_unique() -> None:
    names = [(row.group, row.name) for row in ROWS]
    assert len(set(names)) == len(names)
