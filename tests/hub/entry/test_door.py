"""Whoever comes in is counted, whoever leaves is forgotten, and those over a limit are told so."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.http11 import Response

from hub.entry.door import Caller, Door
from hub.entry.refusal import is_keyed
from hub.errors import Crowded
from hub.limits import Limits
from hub.stream.stream_protocol import HEAD_BYTES_MAX, HEADERS_MAX
from server.http.connection import HEAD_BYTES_MAX as READ_HEAD_BYTES_MAX
from server.http.connection import HEADERS_MAX as READ_HEADERS_MAX
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.raw_socket import raw_socket
from tests.harness.servers import Server
from tests.harness.stream import open_stream
from tests.hub.reader import client, in_memory, read_port

BERLIN = "stock:read:berlin"
AT_ONCE = 20
T = TypeVar("T")


def test_an_owner_gets_so_many_places_and_all_of_them_back() -> None:
    door = Door(Limits(connections_per_owner_max=2), 0)
    first, second, third = Caller(), Caller(), Caller()
    for caller in (first, first, second):  # who shows a new token of the same owner takes no second place
        door.known(caller, "ann")
    with pytest.raises(Crowded, match="2 connections"):
        door.known(third, "ann")
    door.known(third, "bob")
    with pytest.raises(Crowded):
        door.known(third, "ann")
    assert third.owner == "bob"
    door.leave(first)
    door.leave(first)
    door.known(third, "ann")
    for caller in (second, third):
        door.leave(caller)
    assert not len(door._owners)
    assert door.refused["owner"] == 2


@pytest.mark.parametrize(
    ("one", "same", "another"),
    [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ("a-socket", "a-socket", "another"),
    ],
)
def test_an_address_gets_so_many_places_and_all_of_them_back(one: str, same: str, another: str) -> None:
    door = Door(Limits(connections_per_address_max=1), 0)
    first, second = Caller(), Caller()
    assert door.located(first, one, [])
    assert not door.located(second, same, ["198.51.100.7"]), "nobody is believed who is no named proxy"
    assert door.located(second, another, [])
    door.leave(first)
    assert door.located(Caller(), same, [])


def test_of_too_many_unknown_the_one_that_waited_longest_gives_way() -> None:
    door = Door(Limits(unauthenticated_max=2), 0)
    gave_way: list[str] = []
    callers = {name: Caller() for name in "abcd"}
    for name in "abc":
        door.await_key(callers[name], lambda name=name: gave_way.append(name))  # type: ignore[misc]  # bound now
    assert gave_way == ["a"]
    door.known(callers["b"], "ann")
    door.await_key(callers["d"], lambda: gave_way.append("d"))
    assert (gave_way, door.unauthenticated) == (["a"], 2)
    for caller in callers.values():
        door.leave(caller)
    assert door.unauthenticated == 0


def test_handshakes_come_at_a_rate_after_a_burst() -> None:
    door = Door(Limits(handshakes_per_s=10, handshakes_burst=3), 0)
    assert [door.knock(0, keyed=False) for _ in range(4)] == [True, True, True, False]
    assert [door.knock(0.1, keyed=False) for _ in range(2)] == [True, False]


def test_pages_that_flood_the_door_leave_handshakes_to_those_with_keys() -> None:
    door = Door(Limits(handshakes_per_s=10, handshakes_burst=10), 0)
    assert [door.knock(0, keyed=False) for _ in range(20)].count(True) == 8
    assert [door.knock(0, keyed=True) for _ in range(3)] == [True, True, False]
    assert [door.knock(0.1, keyed=False), door.knock(0.1, keyed=True)] == [False, True], (
        "what comes free is theirs first"
    )
    assert [door.knock(1, keyed=False) for _ in range(20)].count(True) == 7
    assert [door.knock(10, keyed=True) for _ in range(20)].count(True) == 10, "both share one rate"


@pytest.mark.parametrize(
    ("headers", "keyed"),
    [
        ("Host: hub\r\n\r\n", True),
        ("Host: hub\r\nOrigin: https://shop.example\r\n\r\n", False),
        ("Host: hub\r\norigin: https://shop.example\r\nauthorization: Bearer x\r\n\r\n", True),
        ("Origin: https://shop.example\r\nSec-WebSocket-Protocol: stockwire.v1, stockwire.token\r\n\r\n", True),
        ("Origin: https://shop.example\r\nSec-WebSocket-Protocol: stockwire.v1\r\nX: stockwire.token\r\n\r\n", False),
        ("Host: hub\r\nAuthorization: Bear", True),
        ("Host: hub\r\nUser-Agent: may say its Origin: later", False),
    ],
    ids=["no page", "a page", "an app", "a page with a token", "its name elsewhere", "a long key", "a slow head"],
)
def test_what_comes_with_a_key_is_known_by_its_first_bytes(headers: str, keyed: bool) -> None:
    assert is_keyed(f"GET /v1/stream HTTP/1.1\r\n{headers}".encode()) is keyed


async def test_an_owner_has_no_more_connections_streams_and_reads_than_it_may(start_system: StartSystem) -> None:
    hub = await _hub(start_system, STOCKWIRE_HUB_CONNECTIONS_PER_OWNER_MAX=2)
    token = make_token(BERLIN)
    async with client(hub.url, BERLIN) as reader, open_stream(hub.stream, token):
        async with open_stream(hub.stream, token):
            async with open_stream(hub.stream) as third:
                await third.request("connect", token=token)
                said = await third.expect("disconnect")
                assert (said["code"], "2 connections" in said["reason"], said["reconnect"]) == (4100, True, True)
                assert await third.closed() == 4100
            answer = await reader.get("/v1/levels/berlin/A")
            assert (answer.status_code, answer.json()["type"]) == (429, "crowded")
            assert int(answer.headers["Retry-After"]) >= 1
            async with open_stream(hub.stream, make_token(BERLIN, owner="another")):
                pass
        async with reader.stream("GET", "/v1/levels/stream?location=berlin") as events:
            assert events.status_code == 200
            answer = await reader.get("/v1/levels/stream?location=berlin")
            assert answer.status_code == 429
        await await_metric(hub, "stockwire_hub_event_streams", 0)
        assert (await reader.get("/v1/levels/stream?location=*")).status_code == 403
        assert (await reader.get("/v1/levels/berlin/A")).status_code == 200
    await await_metric(hub, 'stockwire_hub_turned_away_total{limit="owner"}', 3)


async def test_an_address_has_no_more_connections_than_it_may(start_system: StartSystem) -> None:
    hub = await _hub(start_system, STOCKWIRE_HUB_CONNECTIONS_PER_ADDRESS_MAX=1)
    async with open_stream(hub.stream, make_token(BERLIN)):
        with pytest.raises(InvalidStatus) as refused:
            async with open_stream(hub.stream):
                pass
        assert refused.value.response.status_code == 429
        assert int(refused.value.response.headers["Retry-After"]) >= 1
    await await_metric(hub, "stockwire_hub_connections", 0)
    async with open_stream(hub.stream, make_token(BERLIN)):
        pass
    await await_metric(hub, 'stockwire_hub_upgrades_total{status="429"}', 1)


async def test_handshakes_over_the_rate_are_told_when_to_come_back(start_system: StartSystem) -> None:
    hub = await _hub(start_system, STOCKWIRE_HUB_HANDSHAKES_PER_S=1, STOCKWIRE_HUB_HANDSHAKES_BURST=1)
    async with open_stream(hub.stream, make_token(BERLIN)) as stream, client(hub.url, BERLIN) as reader:
        refused = [answer for answer in await _at_once(lambda: _upgrade(hub.stream)) if answer is not None]
        assert refused
        for answer in refused:
            assert (answer.status_code, 1 <= int(answer.headers["Retry-After"]) <= 5) == (503, True)
        await stream.subscribe("berlin", ["A"])
        opened = await _at_once(lambda: _open_events(reader))
        shed = [answer for answer in opened if answer != (200, "")]
        assert set(shed) == {(503, "overloaded")}
    await await_metric(hub, 'stockwire_hub_turned_away_total{limit="rate"}', len(refused) + len(shed))


async def _at_once(ask: Callable[[], Awaitable[T]]) -> list[T]:
    """So many that some are over a rate of one per second, however busy the machine is."""
    return await asyncio.gather(*(ask() for _ in range(AT_ONCE)))


async def _upgrade(url: str) -> Response | None:
    """None: it was let in."""
    try:
        async with open_stream(url):
            return None
    except InvalidStatus as refused:
        return refused.response


async def _open_events(reader: httpx.AsyncClient) -> tuple[int, str]:
    """Status and type of problem."""
    async with reader.stream("GET", "/v1/levels/stream?location=berlin") as answer:
        if answer.status_code == 200:
            return 200, ""
        await answer.aread()
        return answer.status_code, str(answer.json()["type"])


async def test_whoever_says_nothing_gives_way_to_who_comes_later(start_system: StartSystem) -> None:
    hub = await _hub(start_system, STOCKWIRE_HUB_UNAUTHENTICATED_MAX=2)
    token = make_token(BERLIN)
    async with (
        open_stream(hub.stream) as silent,
        raw_socket(hub.stream) as dumb,
        open_stream(hub.stream, token) as stream,
    ):
        assert await silent.closed() == 4100
        await stream.subscribe("berlin", ["A"])
        async with open_stream(hub.stream), open_stream(hub.stream):
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await dumb.receive()
    await await_metric(hub, 'stockwire_hub_turned_away_total{limit="unauthenticated"}', 2)
    await await_metric(hub, "stockwire_hub_unauthenticated", 0)


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: 1\r\n" % number for number in range(HEADERS_MAX)),
        b"".join(b"X-%d: %s\r\n" % (number, b"x" * 4_000) for number in range(16)),
        b"".join(b"X-%d: 1\r\n" % number for number in range(10_000)),
    ],
    ids=["too many", "64 KiB", "far too many"],
)
async def test_a_head_that_is_too_large_is_answered_431(start_system: StartSystem, head: bytes) -> None:
    assert (HEAD_BYTES_MAX, HEADERS_MAX) == (READ_HEAD_BYTES_MAX, READ_HEADERS_MAX)
    hub = await _hub(start_system)
    for url in (hub.stream, hub.url):
        async with raw_socket(url) as socket:
            status, _ = await socket.handshake(b"GET /v1/stream HTTP/1.1\r\nHost: hub\r\n" + head + b"\r\n")
            assert status == 431, url


async def test_of_too_many_connections_to_the_read_port_one_that_waits_makes_room_and_none_that_is_served(
    start_system: StartSystem,
) -> None:
    hub = await _hub(start_system, STOCKWIRE_HUB_CONNECTIONS_MAX=1)
    request = b"GET /v1/levels HTTP/1.1\r\nHost: hub\r\n\r\n"
    async with raw_socket(hub.url) as silent, raw_socket(hub.url) as second:
        assert (await second.handshake(request))[0] == 401
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await silent.handshake(request)
    events = "/v1/levels/stream?location=berlin"
    async with client(hub.url, BERLIN) as reader, reader.stream("GET", events) as served, raw_socket(hub.url) as third:
        assert served.status_code == 200
        status, headers = await third.handshake(request)
        assert (status, headers["retry-after"].isdecimal()) == (503, True)


async def test_a_read_gives_its_place_back_whatever_became_of_it() -> None:
    async with read_port(limits=Limits(connections_per_owner_max=1)) as app, in_memory(app) as reader:
        for _ in range(3):
            assert (await reader.post("/v1/levels/query", content=b"{")).status_code == 400
            assert (await reader.post("/v1/levels/query", json={"keys": []})).status_code == 200


async def _hub(start_system: StartSystem, **settings: int) -> Server:
    system = await start_system(hubs=0)
    return await system.start_hub(ledger_urls=None, **settings)
