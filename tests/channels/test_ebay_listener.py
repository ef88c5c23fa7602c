"""eBay's own listener of notices takes our server for eBay: its challenge, its keys, its signatures."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.channels.ebay.asking import APPLICATION, BASIC, NOTICES, REFRESH, SUBSCRIBED, destination
from tests.channels.ebay.endpoint import TOKEN
from tests.channels.ebay.tokens import CLIENT_ID, CLIENT_SECRET
from tests.channels.shared.starting import Market, market
from tests.harness.node import NODE
from tests.harness.node_peers import need_node_peer
from tests.harness.waiting import PATIENCE_S

LISTENER = Path(__file__).parent / "ebay" / "listener.cjs"
pytestmark = pytest.mark.usefixtures("processes")


class Listener:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def said(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            line = await self.process.stdout.readline()
        assert line, "the listener ended; its reason is in the output of this test"
        said: dict[str, Any] = json.loads(line)
        return said


@pytest.fixture
async def ebay(tmp_path: Path) -> AsyncIterator[Market]:
    async with market("ebay", tmp_path) as started:
        await started.offer("mug", 5)
        yield started


@pytest.fixture
async def listener(ebay: Market) -> AsyncIterator[Listener]:
    folder = need_node_peer("ebay")
    given = (folder, ebay.url, CLIENT_ID, CLIENT_SECRET, TOKEN)
    process = await asyncio.create_subprocess_exec(NODE, LISTENER, *map(str, given), stdout=PIPE)
    try:
        yield Listener(process)
    finally:
        process.kill()
        await process.wait()


async def test_ebays_own_listener_answers_the_challenge_and_takes_signed_notices_only(
    ebay: Market, listener: Listener
) -> None:
    url = (await listener.said())["url"]
    async with httpx.AsyncClient(base_url=ebay.url) as http:

        async def headers(grant: dict[str, str]) -> dict[str, str]:
            given = await http.post("/identity/v1/oauth2/token", data=grant, headers=BASIC)
            return {"Authorization": f"Bearer {given.json()['access_token']}"}

        application = await headers(APPLICATION)
        await http.put(f"{NOTICES}/config", json={"alertEmail": "us@example.com"}, headers=application)
        made = await http.post(f"{NOTICES}/destination", json=destination(url), headers=application)
        assert made.status_code == 201, made.text
        where = made.headers["location"].rsplit("/", 1)[1]
        body = {**SUBSCRIBED, "destinationId": where}
        done = await http.post(f"{NOTICES}/subscription", json=body, headers=await headers(REFRESH))
        assert done.status_code == 201, done.text
    orders = [await ebay.sell("mug") for _ in range(2)]
    said = [await listener.said() for _ in orders]
    assert {one["order"] for one in said} == set(orders)
    assert [(one["good"], one["tampered"]) for one in said] == [(True, False)] * 2
    counts = await ebay.counts()
    assert counts["notices"].get("failed", 0) == 0
    assert counts["requests"][f"GET {NOTICES}/public_key/{{id}}"] <= 2, "it keeps keys, too"
