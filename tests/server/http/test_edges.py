"""What HTTP allows and few clients do, at ledger and hub, byte by byte: HEAD, HTTP/1.0, requests sent ahead, closing
one side, other forms of a target. Each is answered or ends, holds nothing afterwards, and writes no traceback.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import orjson
import pytest

from stockwire import AsyncClient
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.servers import TRACEBACK, Server
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

LONG_POLL_S = 30
READER = make_token("stock:read:*", "feed")
SERVICES = ("ledger", "hub")
STREAM = "/v1/levels/stream?location={location}"


class Line:
    """One connection. ``read`` takes an answer that has a length, ``rest`` whatever comes until the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    async def ask(self, method: str, target: str, *headers: str, version: str = "1.1") -> None:
        lines = [
            f"{method} {target} HTTP/{version}",
            f"Host: {self._host}",
            f"Authorization: Bearer {READER}",
            *headers,
        ]
        self._writer.write("\r\n".join([*lines, "", ""]).encode())
        await self._writer.drain()

    async def head(self) -> tuple[int, dict[str, str]]:
        async with asyncio.timeout(PATIENCE_S):
            text = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status, *lines = text.strip().split("\r\n")
        return int(status.split()[1]), {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }

    async def read(self) -> tuple[int, bytes]:
        status, headers = await self.head()
        async with asyncio.timeout(PATIENCE_S):
            return status, await self._reader.readexactly(int(headers["content-length"]))

    async def more(self, wanted: bytes) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.readuntil(wanted)

    async def rest(self) -> bytes:
        async with asyncio.timeout(PATIENCE_S):
            return await self._reader.read()

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    def end(self) -> None:
        self._writer.write_eof()


@asynccontextmanager
async def line(process: Server) -> AsyncIterator[Line]:
    parts = urlsplit(process.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        yield Line(reader, writer, parts.netloc)
    finally:
        writer.transport.abort()


@pytest.fixture
def ledger(shared_system: System) -> Server:
    return shared_system.ledgers[0]


@pytest.fixture
def hub(shared_system: System) -> Server:
    return shared_system.hubs[0]


@pytest.fixture(autouse=True)
def silent(shared_system: System) -> Iterator[None]:
    """No test of this file makes a process print a traceback."""
    yield
    for process in (*shared_system.ledgers, *shared_system.hubs):
        assert TRACEBACK not in process.stderr()


@pytest.fixture
async def location(shared_client: AsyncClient, unique_name: str) -> str:
    """With one level."""
    await shared_client.locations.put(unique_name, unique_name)
    await shared_client.items.put(unique_name, unique_name)
    await shared_client.stock.receive(unique_name, unique_name, 5)
    return unique_name


def paths_of(service: str, location: str) -> list[str]:
    both = [f"/v1/levels/{location}/{location}", f"/v1/levels?location={location}", "/v1/levels/nowhere/\N{SNOWMAN}"]
    if service == "hub":
        return [*both, f"/v1/availability/{location}/{location}"]
    return [*both, f"/v1/items/{location}", "/v1/shards", "/healthz", "/readyz", "/openapi.json", "/v1/discovery"]


async def test_head_of_a_stream_is_a_head_and_nothing_more(hub: Server, location: str) -> None:
    async with line(hub) as asking:
        await asking.ask("HEAD", STREAM.format(location=location))
        status, headers = await asking.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        assert headers["x-accel-buffering"] == "no"
        await asking.ask("GET", f"/v1/levels/{location}/{location}")
        assert (await asking.read())[0] == 200, "the next answer follows at once"
    await await_metric(hub, "stockwire_hub_event_streams", 0)


async def test_head_of_a_stream_that_may_not_be_read_is_refused_like_get(hub: Server) -> None:
    async with line(hub) as asking:
        for method in ("HEAD", "GET"):
            await asking.ask(method, "/v1/levels/stream?location=")
            status, _ = await asking.head()
            assert status == 422
            if method == "GET":
                await asking.more(b"}")


async def test_a_stream_goes_with_its_client_whatever_was_sent_behind_it(hub: Server, location: str) -> None:
    async with line(hub) as asking:
        await asking.ask("GET", STREAM.format(location=location))
        await asking.ask("GET", f"/v1/levels/{location}/{location}")
        status, headers = await asking.head()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        await asking.more(b"snapshot")
        await await_metric(hub, "stockwire_hub_event_streams", 1)
    await await_metric(hub, "stockwire_hub_event_streams", 0)


async def test_a_long_poll_goes_with_its_client_whatever_was_sent_behind_it(ledger: Server) -> None:
    async with line(ledger) as asking:
        await asking.ask("GET", f"/v1/events?shard=0&after={await head_of_feed(asking)}&wait={LONG_POLL_S}")
        await asking.ask("GET", "/v1/shards")
        await await_metric(ledger, "stockwire_ledger_long_polls", 1)
    await await_metric(ledger, "stockwire_ledger_long_polls", 0)


@pytest.mark.parametrize("head", [b"GET /v1/shards HTTP/1.1", b"GET http://:x/ HTTP/1.1\r\nHost: ledger"])
async def test_what_is_no_request_is_never_answered_in_the_place_of_the_one_before(ledger: Server, head: bytes) -> None:
    """Without a host, or with a target that is none."""
    async with line(ledger) as asking:
        await asking.ask("GET", f"/v1/events?shard=0&after={await head_of_feed(asking)}&wait={LONG_POLL_S}")
        await await_metric(ledger, "stockwire_ledger_long_polls", 1)
        asking.send(head + b"\r\n\r\n")
        with suppress(ConnectionResetError):
            assert await asking.rest() == b""
    await await_metric(ledger, "stockwire_ledger_long_polls", 0)


async def head_of_feed(asking: Line) -> int:
    await asking.ask("GET", "/v1/events?shard=0&limit=1")
    return int(orjson.loads((await asking.read())[1])["head"])


async def test_a_client_of_http_1_0_is_sent_no_chunks(hub: Server, location: str) -> None:
    async with line(hub) as asking:
        await asking.ask("GET", STREAM.format(location=location), version="1.0")
        status, headers = await asking.head()
        assert status == 200
        assert "transfer-encoding" not in headers
        assert headers["connection"] == "close"
        assert (await asking.more(b"\n\n")).startswith((b"event:", b"data:", b"id:"))
    await await_metric(hub, "stockwire_hub_event_streams", 0)


@pytest.mark.parametrize("service", SERVICES)
async def test_head_is_get_without_a_body(service: str, ledger: Server, hub: Server, location: str) -> None:
    async with line({"ledger": ledger, "hub": hub}[service]) as asking:
        for path in paths_of(service, location):
            target = path.encode("ascii", "ignore").decode()
            await asking.ask("GET", target)
            status, body = await asking.read()
            await asking.ask("HEAD", target)
            headed, _ = await asking.head()
            assert headed == status, target
            assert body, target


async def test_head_of_the_feed_waits_for_nothing(ledger: Server) -> None:
    async with line(ledger) as asking:
        head = await head_of_feed(asking)
        await asking.ask("GET", f"/v1/events?shard=0&after={head}&wait={LONG_POLL_S}")
        await await_metric(ledger, "stockwire_ledger_long_polls", 1)
        async with line(ledger) as other:
            await other.ask("HEAD", f"/v1/events?shard=0&after={head}&wait={LONG_POLL_S}")
            assert (await other.head())[0] == 200, "while the other waits on"
        await await_metric(ledger, "stockwire_ledger_long_polls", 1)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("closing", ["version", "header"])
async def test_who_asks_for_one_answer_gets_it_whole_and_the_end(
    service: str, closing: str, ledger: Server, hub: Server, location: str
) -> None:
    for path in paths_of(service, location)[:2]:
        async with line({"ledger": ledger, "hub": hub}[service]) as asking:
            if closing == "version":
                await asking.ask("GET", path, version="1.0")
            else:
                await asking.ask("GET", path, "Connection: close")
            status, headers = await asking.head()
            body = await asking.rest()
            assert (status, headers["connection"]) == (200, "close")
            assert len(body) == int(headers["content-length"])


@pytest.mark.parametrize("service", SERVICES)
async def test_answers_come_in_the_order_of_their_requests(
    service: str, ledger: Server, hub: Server, location: str
) -> None:
    async with line({"ledger": ledger, "hub": hub}[service]) as asking:
        for path in (f"/v1/levels/{location}/{location}", "/v1/none", f"/v1/levels?location={location}"):
            await asking.ask("GET", path)
        assert [(await asking.read())[0] for _ in range(3)] == [200, 404, 200]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_request_to_an_absolute_target_is_answered_as_any(
    service: str, ledger: Server, hub: Server, location: str
) -> None:
    process = {"ledger": ledger, "hub": hub}[service]
    async with line(process) as asking:
        await asking.ask("GET", f"{process.url}/v1/levels/{location}/{location}")
        assert (await asking.read())[0] == 200


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("CONNECT", "example.com:80"), ("GET", "//")])
async def test_a_target_that_names_nothing_here_is_refused_and_breaks_nothing(
    service: str, method: str, target: str, ledger: Server, hub: Server
) -> None:
    async with line({"ledger": ledger, "hub": hub}[service]) as asking:
        await asking.ask(method, target)
        status, _ = await asking.head()
        assert 400 <= status < 500


@pytest.mark.parametrize("service", SERVICES)
async def test_who_waits_to_be_told_to_go_on_is_told(service: str, ledger: Server, hub: Server) -> None:
    """Or is refused at once, before a body was sent."""
    body = b'{"keys":[]}'
    path = {"ledger": "/v1/movements", "hub": "/v1/levels/query"}[service]
    async with line({"ledger": ledger, "hub": hub}[service]) as asking:
        await asking.ask("POST", path, "Expect: 100-continue", f"Content-Length: {len(body)}", "Idempotency-Key: e-1")
        status, _ = await asking.head()
        assert status == 100 or 400 <= status < 500
        if status == 100:
            asking.send(body)
            assert (await asking.read())[0] in (200, 400, 422)


async def test_a_client_that_says_that_it_sends_no_more_has_left(hub: Server, location: str) -> None:
    """A connection that is closed on one side looks like one that is gone, and a stream is not kept for it."""
    async with line(hub) as asking:
        await asking.ask("GET", STREAM.format(location=location))
        await asking.head()
        await asking.more(b"snapshot")
        asking.end()
        await asking.rest()
    await await_metric(hub, "stockwire_hub_event_streams", 0)
