"""Bad input on the stream: every error code and close code, and the hub unharmed."""

import asyncio
import contextlib
import json
import socket
import struct
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from hub.stream.connection import Connection
from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.metrics import await_metric
from tests.harness.raw_socket import CLOSE, CONTINUATION, PING, PONG, TEXT, raw_frame, raw_socket
from tests.harness.stream import open_stream
from tests.harness.waiting import PATIENCE_S
from tests.hub.shop import Shop

BERLIN = make_token("stock:read:berlin")


async def test_wrong_requests_are_answered_and_the_connection_stays(start_system: StartSystem) -> None:
    """By what the settings say, and by who the ledger says it is; of all others: ``test_conversation``."""
    system = await start_system(hubs=0)
    await system.start_hub(STOCKWIRE_HUB_SUBSCRIPTIONS_MAX=2, STOCKWIRE_HUB_SKUS_MAX=3)
    await Shop(system).open("secret", "A", on_hand=1)
    cases: list[tuple[dict[str, Any], str, int | None]] = [
        ({"type": "fly", "id": 1}, "unknown-type", 1),
        ({"type": "subscribe", "id": 2, "location": "a/b"}, "invalid", 2),
        ({"type": "subscribe", "id": 2, "location": "berlin", "skus": list("ABCD")}, "limit", 2),
        ({"type": "subscribe", "id": 3, "location": "secret"}, "forbidden", 3),
        ({"type": "subscribe", "id": 3, "location": "unknown"}, "forbidden", 3),
        ({"type": "refresh", "id": 5, "token": "nonsense"}, "unauthorized", 5),
        ({"type": "refresh", "id": 5, "token": make_token("stock:read:berlin", ttl_s=-1)}, "unauthorized", 5),
    ]
    async with open_stream(system.stream_urls[0], BERLIN) as stream:
        for message, code, id_ in cases:
            await stream.send(message)
            error = await stream.expect("error")
            assert (error["code"], error["id"]) == (code, id_), (message, error)
        await stream.subscribe("berlin", ["A", "A"])
        await stream.request("refresh", token=make_token("stock:read:paris"))
        assert (await stream.expect("error"))["code"] == "forbidden"
        await stream.request("refresh", token=make_token("stock:read:berlin"))
        await stream.expect("refreshed")
        await stream.subscribe("berlin", unknown_field=1)
        await stream.request("subscribe", location="berlin")
        assert (await stream.expect("error"))["code"] == "limit"


async def test_a_connection_that_is_reset_in_its_handshake_is_no_fault_of_ours(start_system: StartSystem) -> None:
    """The hub's log is looked at when it ends: no traceback stands there."""
    system = await start_system(hubs=1)
    url = urlsplit(system.stream_urls[0])
    head = f"GET {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    request = f"{head}Sec-WebSocket-Key: {'A' * 22}==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    for _ in range(100):
        with socket.create_connection((url.hostname, url.port), PATIENCE_S) as cut:
            cut.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            cut.sendall(request)
    async with open_stream(system.stream_urls[0], BERLIN) as stream:
        assert await stream.request("probe")


async def test_a_connection_that_meets_a_fault_of_ours_is_not_left_open(
    start_system: StartSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    system = await start_system(hubs=1)
    system.hubs[0].tracebacks_expected = True  # the fault is logged with where it was
    parts = urlsplit(system.stream_urls[0])
    monkeypatch.setattr(Connection, "handshake", fail)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
    finally:
        writer.transport.abort()


async def test_protocol_violations_close_with_their_code(start_system: StartSystem) -> None:
    """Those of frames, tokens and rates, and one of the conversation; of all others: ``test_conversation``."""
    system = await start_system(hubs=0)
    await system.start_hub(STOCKWIRE_HUB_AUTHENTICATE_S=4, STOCKWIRE_HUB_MESSAGES_BURST=20)
    url = system.stream_urls[0]
    connect = json.dumps({"type": "connect", "id": 1, "token": BERLIN})
    gone = make_token("stock:read:berlin", ttl_s=-10)
    forged = make_token("stock:read:*", secret="another secret that is long enough for HS256")
    cases: list[tuple[list[str | bytes], int]] = [
        (["no json"], 4005),
        ([connect, connect.encode()], 4005),
        (['{"type":"connect","id":1,"token":"x.y.z"}'], 4001),
        (['{"type":"connect","id":1,"token":"sw_aaaaaaaaaaaa_wrong"}'], 4001),
        (['{"type":"connect","id":1,"token":"sw_\\u00e4"}'], 4001),
        ([f'{{"type":"connect","id":1,"token":"{forged}"}}'], 4001),
        ([f'{{"type":"connect","id":1,"token":"{gone}"}}'], 4104),
        ([connect, " " * 70_000], 4009),
        ([connect, *['{"type":"fly","id":1}'] * 60], 4102),
        ([], 4101),
    ]
    for messages, code in cases:
        async with open_stream(url) as stream:
            with contextlib.suppress(ConnectionClosed):  # the last messages may come after the hub's close
                for message in messages:
                    await stream.send_raw(message)
            closed = await stream.closed()
            assert closed == code, (messages and messages[-1][:40], closed, stream.seen)
            last = stream.seen[-1]
            assert (last["type"], last["code"]) == ("disconnect", code), stream.seen
            assert last["reconnect"] is (code >= 4100)
    async with open_stream(url, BERLIN) as stream:
        await stream.subscribe("berlin", ["A"])
    for code, times in Counter(code for _, code in cases).items():
        await await_metric(system.hubs[0], f'stockwire_hub_closes_total{{code="{code}"}}', times)


async def test_frames_that_break_the_rules_close_and_harm_nobody(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    connect = raw_frame(TEXT, json.dumps({"type": "connect", "id": 1, "token": BERLIN}).encode())
    fragments = raw_frame(TEXT, b"x", final=False) + raw_frame(CONTINUATION, b"", final=False) * 2_000
    cases = [
        (connect + raw_frame(PING, b"x") * 2_000, 4102),
        (connect + raw_frame(PONG, b"x") * 2_000, 4102),
        (connect + fragments, 4102),
        (connect + raw_frame(TEXT, b"{}" * 16_384, final=False) + raw_frame(CONTINUATION, b"{}" * 16_385), 4009),
        (raw_frame(TEXT, b"\xff\xfe"), 1007),
        (raw_frame(TEXT, b"{}", masked=False), 1002),
        (raw_frame(TEXT, b"{}", reserved=4), 1002),
        (raw_frame(0x3, b""), 1002),
        (raw_frame(PING, b"x" * 126), 1002),
        (raw_frame(PING, b"x", final=False), 1002),
        (raw_frame(CONTINUATION, b"x"), 1002),
        (raw_frame(TEXT, b"x", final=False) + raw_frame(TEXT, b"x"), 1002),
        (raw_frame(CLOSE, b"\x03\xe8"), 1000),
        (raw_frame(CLOSE, b"\x03"), 1002),
        (b"\x81\xff" + (2**62).to_bytes(8, "big"), 4009),
    ]
    for data, code in cases:
        async with raw_socket(system.stream_urls[0]) as socket:
            assert await socket.upgrade(system.stream_urls[0]) == 101
            await socket.send(data)
            assert await socket.closed() == code, data[:40]
    async with open_stream(system.stream_urls[0], BERLIN) as stream:
        await stream.subscribe("berlin", ["A"])
    for code, times in Counter(code for _, code in cases if code != 1000).items():  # that one the client closed
        await await_metric(system.hubs[0], f'stockwire_hub_closes_total{{code="{code}"}}', times)


async def test_upgrades_that_are_refused(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_ALLOWED_ORIGINS="https://shop.example")
    url = hub.stream
    cases: list[tuple[str, dict[str, str], int]] = [
        (url, {}, 101),
        (url + "?x=1", {}, 101),
        (url + "/more", {}, 404),
        (url.removesuffix("/v1/stream") + "/", {}, 404),
        (url, {"Origin": "https://shop.example"}, 101),
        (url, {"Origin": "https://evil.example"}, 403),
        (url, {"Origin": "null"}, 403),
        (url, {"Authorization": f"Bearer {BERLIN}"}, 101),
        (url, {"Authorization": "Bearer nonsense"}, 401),
        (url, {"Authorization": f"Basic {BERLIN}"}, 401),
        (url, {"Sec-WebSocket-Protocol": "other.v1"}, 400),
        (url, {"X-Long": "x" * 10_000}, 431),
    ]
    for target, headers, status in cases:
        async with raw_socket(target) as socket:
            assert await socket.upgrade(target, headers) == status, (target, headers)
    async with raw_socket(url) as socket:
        assert await socket.upgrade(url, without="Sec-WebSocket-Protocol") == 101


async def test_authorization_on_the_upgrade_needs_no_token_later(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    hub = system.hubs[0]
    headers = {"Authorization": f"Bearer {BERLIN}"}
    async with open_stream(hub.stream, additional_headers=headers) as stream:
        await stream.request("connect")
        assert (await stream.expect("connected"))["expires_at"].endswith("Z")
        await stream.subscribe("berlin", ["A"])
    with pytest.raises(InvalidStatus):
        async with open_stream(hub.stream, additional_headers={"Authorization": "Bearer x"}):
            pass


async def test_too_many_connections_are_asked_to_come_back_later(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    await system.start_hub(STOCKWIRE_HUB_CONNECTIONS_MAX=2)
    url = system.stream_urls[0]
    async with open_stream(url, BERLIN), open_stream(url, BERLIN), open_stream(url) as third:
        assert await third.closed() == 4100
        assert third.seen[-1]["after_ms"] > 0
    async with open_stream(url) as again:
        await again.authenticate(BERLIN)


async def test_a_token_that_ends_and_a_key_that_is_revoked_end_what_they_opened(start_system: StartSystem) -> None:
    system = await start_system(hubs=1)
    url = system.stream_urls[0]
    key = await system.key("reader", "stock:read:berlin")
    minted = make_token("stock:read:berlin", key=key.split("_")[1])
    async with (
        open_stream(url, key) as by_key,
        open_stream(url, minted) as by_token,
        open_stream(url, BERLIN) as stays,
    ):
        await stays.subscribe("berlin", ["A"])
        await Shop(system).revoke(key)
        assert await by_key.closed() == 4001
        assert await by_token.closed() == 4001
        async with open_stream(url) as ends:
            # should the machine stand still here, it is refused with the same code
            await ends.request("connect", token=make_token("stock:read:berlin", ttl_s=3))
            assert await ends.closed() == 4104
            assert ends.seen[-1]["reconnect"] is True
        async with open_stream(url) as again:
            await again.request("connect", token=minted)
            assert await again.closed() == 4001
        async with open_stream(url) as again:
            await again.request("connect", token=key)
            assert await again.closed() == 4001
        await stays.subscribe("berlin", ["B"])


async def test_silence_is_pinged_and_ended(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_PING_S=0.5, STOCKWIRE_HUB_PONG_S=4)
    async with open_stream(hub.stream, BERLIN) as stream, raw_socket(hub.stream) as silent:
        headers = {"Authorization": f"Bearer {BERLIN}"}
        assert await silent.upgrade(hub.stream, headers) == 101
        assert await silent.closed() == 1001
        await stream.subscribe("berlin", ["A"])  # it has answered its pings meanwhile


async def test_a_reader_that_stops_is_ended_and_costs_little(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    hub = await system.start_hub(STOCKWIRE_HUB_STALL_S=1, STOCKWIRE_HUB_MESSAGES_BURST=1000)
    skus = [f"sku-{number:04}" for number in range(1_000)]
    await Shop(system).open("berlin", *skus, on_hand=1)
    async with raw_socket(hub.stream) as stuck, open_stream(hub.stream, BERLIN) as reader:
        assert await stuck.upgrade(hub.stream, {"Authorization": f"Bearer {BERLIN}"}) == 101
        for number in range(60):  # 60 snapshots of 230 KB each, none of them read
            text = json.dumps({"type": "subscribe", "id": number, "location": "berlin"})
            await stuck.send(raw_frame(TEXT, text.encode()))
        await reader.subscribe("berlin", ["sku-0000"])
        await await_metric(hub, 'stockwire_hub_closes_total{code="4101"}', 1)
        await await_metric(hub, "stockwire_hub_connections", 1)
