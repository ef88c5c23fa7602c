"""Canaries: names and numbers of a location that must not reach readers of another, in whatever form.

Every raw byte that clients of an open location receive is kept: frames, answers, errors, headers, resumes, event
streams. So are the logs and the metrics of every process. While they listen and ask, the closed location trades. None
of its canaries may be found.
"""

import asyncio
import base64
import json
import secrets
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests.conftest import StartSystem
from tests.harness.api_keys import make_token
from tests.harness.proxy import Proxy, proxy_to
from tests.harness.stream import open_stream
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S
from tests.hub.shop import Shop
from wire.shards import shard_of

SALES = 40
SCOPES = ("stock:read:open", "stock:write:open", "stock:public:open")


class Canary:
    """A location in another shard than the open one, that nobody else has, and what trades there."""

    def __init__(self) -> None:
        while True:
            self.location = f"canary-{secrets.token_hex(6)}"
            if shard_of(self.location, 4) != shard_of("open", 4):
                break
        self.owner = f"owner-{secrets.token_hex(6)}"
        self.reference = f"reference-{secrets.token_hex(6)}"
        self.reason = f"reason-{secrets.token_hex(6)}"
        self.key = f"key-{secrets.token_hex(6)}"
        self.on_hand = secrets.randbelow(10**8) + 9 * 10**8

    def marks(self) -> list[bytes]:
        """Texts as they are, as JSON and as a path would have them, and all numbers that its level ever has."""
        texts = (self.location, self.owner, self.reference, self.reason, self.key)
        numbers = [str(self.on_hand - sold) for sold in range(SALES + 1)]
        encoded = [base64.b64encode(text.encode()).decode().rstrip("=")[:12] for text in texts]
        return [mark.encode() for mark in (*texts, *numbers, *encoded)]


async def test_no_byte_tells_of_another_location(
    start_system: StartSystem, record_property: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    system = await start_system(ledgers=2, hubs=0)
    for _ in range(2):
        await system.start_hub(STOCKWIRE_HUB_HEARTBEAT_S=0.2)
    shop, canary = Shop(system), Canary()
    await shop.open("open", "A", "B", on_hand=50)
    await shop.open(canary.location, "A", on_hand=canary.on_hand)
    async with AsyncExitStack() as stack:
        taps = await _taps(stack, system)
        trading = asyncio.create_task(_trade(system, canary, shop))
        for reader in (_streams, _event_streams, _reads, _ledger):
            await reader(system, taps, canary, shop)
        await trading
        await _streams(system, taps, canary, shop)
    told = b"".join(bytes(tap.down.heard or b"") for tap in taps.values())
    own = canary.location.encode()
    asked_for = told.count(own)
    said = {
        "clients": told,
        "metrics": await _metrics(system),
        "logs": "".join(process.stderr() for process in (*system.ledgers, *system.hubs)).encode(),
    }
    for place, data in said.items():
        found = [mark for mark in canary.marks() if mark in _without_echoes(data, canary)]
        assert not found, f"{place} tell of {found}: {_around(data, found[0])!r}"
    assert len(told) > 20_000
    assert await _told_to_its_own_reader(system, canary) >= {
        canary.location.encode(),
        str(canary.on_hand - SALES).encode(),
    }
    assert asked_for, "an error names what was asked for; else nothing here was asked"
    counted = f"{len(told)} bytes to clients, {len(said['metrics'])} of metrics, {len(said['logs'])} of logs"
    record_property("canaries", counted)
    with capsys.disabled():
        sys.stdout.write(f"\ncanaries: {counted}\n")


async def test_unknown_and_forbidden_are_told_in_the_same_words_and_the_same_time(start_system: StartSystem) -> None:
    """By ledger and hub, over HTTP and the stream: the scope is looked at before anything is looked up."""
    system = await start_system(hubs=1)
    shop = Shop(system)
    await shop.open("open", "A", on_hand=5)
    await shop.open("closed", "A", on_hand=5)
    key = await system.key("reader", "stock:read:open")
    servers = {"ledger": system.ledger_url, "hub": system.hubs[0].url}
    locations = ["closed", "absent"]
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    answers: dict[str, set[str]] = {location: set() for location in locations}
    async with httpx.AsyncClient(trust_env=False, verify=False, headers={"Authorization": f"Bearer {key}"}) as http:
        for number in range(300):
            locations.reverse()  # each is first as often
            for server, url in servers.items():
                for location in locations:
                    began = time.perf_counter()
                    answer = await http.get(f"{url}/v1/levels/{location}/A")
                    if number >= 20:
                        took[server, location].append(time.perf_counter() - began)
                    assert answer.status_code == 403
                    answers[location].add(answer.text.replace(location, "..."))
    async with open_stream(system.stream_urls[0], key) as stream:
        for location, seen in answers.items():
            request = await stream.request("subscribe", location=location)
            error = await stream.expect("error", id=request)
            seen.add(json.dumps({**error, "id": 0}).replace(location, "..."))
    assert answers["closed"] == answers["absent"]
    for server in servers:
        ratio = statistics.median(took[server, "closed"]) / statistics.median(took[server, "absent"])
        assert 0.8 < ratio < 1.25, f"{server}: forbidden takes {ratio:.2f} times as long as unknown"


async def _told_to_its_own_reader(system: System, canary: Canary) -> set[bytes]:
    """What the same tap and the same search find where something may be found."""
    place = httpx.URL(system.stream_urls[0])
    async with proxy_to(place.host, place.port or 0) as tap:
        tap.down.heard = bytearray()
        url = str(place.copy_with(port=tap.port))
        async with open_stream(url, make_token(f"stock:read:{canary.location}")) as stream:
            await stream.subscribe(canary.location)
        data = _without_echoes(bytes(tap.down.heard), canary)
        return {mark for mark in canary.marks() if mark in data}


async def _taps(stack: AsyncExitStack, system: System) -> dict[str, Proxy]:
    """A recording proxy in front of everything that clients talk to, by the URL behind it."""
    taps = {}
    for url in (*system.ledger_urls, *(hub.url for hub in system.hubs), *system.stream_urls):
        place = httpx.URL(url)
        proxy = await stack.enter_async_context(proxy_to(place.host, place.port or 0))
        proxy.down.heard = bytearray()
        taps[url] = proxy
    return taps


def _through(taps: dict[str, Proxy], url: str) -> str:
    place = httpx.URL(url)
    return str(place.copy_with(port=taps[url].port)).rstrip("/")


async def _trade(system: System, canary: Canary, shop: Shop) -> None:
    key = await system.key(canary.owner, f"stock:write:{canary.location}")
    async with httpx.AsyncClient(trust_env=False, verify=False, base_url=system.ledger_urls[1]) as http:
        for number in range(SALES):
            line = {"sku": "A", "location": canary.location, "quantity": -1, "kind": "sale"}
            answer = await http.post(
                "/v1/movements",
                headers={"Authorization": f"Bearer {key}", "Idempotency-Key": f"{canary.key}-{number}"},
                json={**line, "reference": canary.reference, "reason": canary.reason},
            )
            assert answer.status_code == 201, answer.text
            if number % 4 == 0:
                await shop.sell("open", "A")


async def _streams(system: System, taps: dict[str, Proxy], canary: Canary, shop: Shop) -> None:
    """Snapshots, changes, resumes with positions of all kinds, refused requests, closes."""
    for url in system.stream_urls:
        for kind, fields in (("read", {}), ("public", {"view": "public"})):
            async with open_stream(_through(taps, url), make_token(f"stock:{kind}:open")) as stream:
                await stream.subscribe("open", None, **fields)
                for asked in (
                    {"location": canary.location},
                    {"location": canary.location, "skus": ["A"]},
                    {"location": canary.location, "view": "public"},
                    {"location": canary.location, "when": {"at_most": 5}},
                    {"location": "*"},
                    {"location": "*", "view": "public"},
                    {"location": canary.location, "since": {"epoch": "e", "seq": {str(n): 1 for n in range(4)}}},
                ):
                    request = await stream.request("subscribe", **asked)
                    assert (await stream.expect("error", id=request))["code"] in ("forbidden", "invalid")
                await stream.request("unsubscribe", sub=99)
                await shop.sell("open", "B")
                await stream.expect("heartbeat")
        async with open_stream(_through(taps, url), make_token("stock:read:open")) as stream:
            _, snapshot = await stream.subscribe("open", ["A", "B"])
        position = snapshot["position"]
        for since in (
            position,
            {**position, "seq": {str(shard): 0 for shard in range(4)}},
            {**position, "seq": {str(shard): 10**9 for shard in range(4)}},
            {**position, "epoch": "another"},
            {**position, "selection": None},
        ):
            async with open_stream(_through(taps, url), make_token("stock:read:open")) as stream:
                await stream.subscribe("open", ["A", "B"], since=since)


async def _event_streams(system: System, taps: dict[str, Proxy], _: Canary, shop: Shop) -> None:
    for hub in system.hubs:
        async with _http(_through(taps, hub.url), make_token(*SCOPES)) as http:
            for query in ("location=open", "location=open&view=public", "location=open&at_most=60"):
                async with http.stream("GET", f"/v1/levels/stream?{query}") as answer:
                    async for line in answer.aiter_lines():
                        if "snapshot" in line:
                            await shop.sell("open", "B")
                        if "heartbeat" in line:
                            break


async def _reads(system: System, taps: dict[str, Proxy], canary: Canary, _: Shop) -> None:
    closed = quote(canary.location)
    for hub in system.hubs:
        for scopes in (SCOPES, ("stock:public:open",), ("feed",)):
            async with _http(_through(taps, hub.url), make_token(*scopes)) as http:
                for path in (
                    "/v1/levels?location=open",
                    "/v1/levels",
                    "/v1/levels/open/A",
                    f"/v1/levels/{closed}/A",
                    f"/v1/levels?location={closed}",
                    f"/v1/levels/stream?location={closed}",
                    "/v1/availability?location=open",
                    f"/v1/availability?location={closed}",
                    f"/v1/availability/{closed}/A",
                    "/v1/levels?location=open&after=WyIiLCIiXQ",
                    "/metrics",
                ):
                    if "stream" not in path or scopes != SCOPES:
                        await http.get(path)
                await http.post("/v1/levels/query", json={"keys": [["open", "A"], [canary.location, "A"]]})
                await http.post("/v1/levels/query", json={"keys": [["open", "A"]]})


async def _ledger(system: System, taps: dict[str, Proxy], canary: Canary, _: Shop) -> None:
    closed = quote(canary.location)
    key = await system.key("reader-of-open", *SCOPES)
    for url in system.ledger_urls:
        for credential in (key, make_token(*SCOPES), "sw_wrong_key"):
            async with _http(_through(taps, url), credential) as http:
                for path in (
                    "/v1/levels?location=open",
                    "/v1/levels",
                    "/v1/levels/open/A",
                    f"/v1/levels/{closed}/A",
                    f"/v1/levels?location={closed}",
                    f"/v1/levels/{closed}/A/events",
                    "/v1/levels/open/A/events",
                    f"/v1/locations/{closed}",
                    "/v1/locations",
                    "/v1/locations?limit=1&after=canary",
                    "/v1/shards",
                    "/v1/events?shard=0",
                    "/v1/events?shard=1&wait=1",
                    "/v1/keys",
                    "/v1/discovery",
                    "/metrics",
                ):
                    await http.get(path)
                await http.post("/v1/levels/query", json={"keys": [["open", "A"]]})
                await http.post("/v1/levels/query", json={"keys": [[canary.location, "A"]]})
                for location, quantity in (("open", -10_000), (canary.location, -1), ("open", 1)):
                    line = {"sku": "A", "location": location, "quantity": quantity, "kind": "adjustment"}
                    for idempotency_key in (secrets.token_hex(4), f"{canary.key}-0"):
                        await http.post("/v1/movements", headers={"Idempotency-Key": idempotency_key}, json=line)
                scopes = [f"stock:read:{canary.location}", "stock:public:*"]
                await http.post("/v1/tokens", json={"scopes": scopes, "ttl_s": 60})


async def _metrics(system: System) -> bytes:
    async with httpx.AsyncClient(trust_env=False, verify=False) as http:
        answers = [await http.get(f"{one.admin}/metrics") for one in (*system.ledgers, *system.hubs)]
    return b"".join(answer.content for answer in answers)


def _without_echoes(data: bytes, canary: Canary) -> bytes:
    """An error may repeat the location, and the key, that its own request has named: in these words only."""
    for echo in (
        f"this needs the scope stock:read:{canary.location}",
        f"this needs the scope stock:write:{canary.location}",
        f"this needs the scope stock:public:{canary.location}",
        f'"scope":"stock:read:{canary.location}"',
        f'"scope":"stock:write:{canary.location}"',
        f'"scope":"stock:public:{canary.location}"',
        f'"key":"{canary.key}-0"',
        f"the key {canary.key}-0 was used before",
    ):
        data = data.replace(echo.encode(), b"")
    return data


def _around(data: bytes, mark: bytes) -> bytes:
    at = data.find(mark)
    return data[max(0, at - 200) : at + 200]


@asynccontextmanager
async def _http(url: str, credential: str) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {credential}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_S) as http:
        yield http
