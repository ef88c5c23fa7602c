"""Readers of a hub's read port: every answer is held to wire/hub-openapi.yaml as it comes in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from starlette.applications import Starlette

from hub.entry.access import Access
from hub.entry.door import Caller, Door
from hub.fanout.fanout import Bounds
from hub.feed.feed import Feed
from hub.feed.ledger_client import LedgerClient
from hub.limits import Limits
from hub.protocols.native.conversation import Greeting
from hub.reads.event_stream import EventStreams
from hub.reads.problems import ANSWERED
from hub.reads.read_api import create_app
from hub.reads.read_parts import ReadParts
from hub.reads.readers import Readers
from hub.reads.reads import Reads
from hub.settings import read_settings
from server.http.connection_table import ConnectionTable
from server.http.problems import Problems
from server.http.request_times import RequestTimes
from server.rates.rate_limits import RateLimits
from server.tokens.keys import FixedKeys
from server.tokens.token_settings import SharedSecret
from server.tokens.verifier import Verifier
from tests.harness.api_keys import TOKEN_SECRET, make_token
from tests.harness.openapi import document
from tests.harness.waiting import PATIENCE_S
from tests.hub.in_memory import NO_BROKER, make_fanout, parts_of_a_lone_feed
from tests.simulation.history import History
from wire.tokens import OURS

HUB = document("hub-openapi.yaml")
SETTINGS = {
    "STOCKWIRE_LEDGER_URLS": "http://127.0.0.1:1",
    "STOCKWIRE_REDIS_URL": NO_BROKER,
    "STOCKWIRE_HUB_KEY": "no key",
    "STOCKWIRE_TOKEN_SECRET": TOKEN_SECRET,
}


def client(url: str, *scopes: str) -> httpx.AsyncClient:
    """Of a running hub, with a token of these scopes; without any, anonymous."""
    headers = {"Authorization": f"Bearer {make_token(*scopes)}"} if scopes else {}
    return httpx.AsyncClient(
        base_url=url, headers=headers, trust_env=False, timeout=PATIENCE_S, verify=False, event_hooks=HOOKS
    )


def in_memory(app: Starlette) -> httpx.AsyncClient:
    """Of a ``read_port``, with a token that may read everything."""
    headers = {"Authorization": f"Bearer {make_token('stock:read:*')}"}
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers, event_hooks=HOOKS)


@asynccontextmanager
async def read_port(
    bounds: Bounds | None = None,
    *,
    started: bool = True,
    limits: Limits | None = None,
    held_by: str | None = None,
    rate_per_s: float = 0,
) -> AsyncIterator[Starlette]:
    """A hub that has read the history of an empty shop; not ``started``: one that has reached no ledger yet.

    ``held_by``: an owner that has one connection already.
    """
    async with LedgerClient([], "no key") as ledger:
        feed = Feed(parts_of_a_lone_feed(ledger))
        feed.fanout = make_fanout(History(shards=2), bounds=bounds) if started else None
        door = Door(limits or Limits(), asyncio.get_running_loop().time())
        if held_by is not None:
            door.known(Caller(), held_by)
        streams = EventStreams(Limits(), Greeting("node", 5), lambda: None, door, ConnectionTable(10))
        access = Access(ledger, Verifier(SharedSecret(TOKEN_SECRET, OURS), FixedKeys({})), list, lambda _: None)
        owners, addresses = (RateLimits(rate_per_s, url, "test", "hub") for url in (NO_BROKER, None))
        readers = Readers(access, door, owners, addresses)
        settings = read_settings(SETTINGS)
        parts = ReadParts(
            reads=Reads(feed, lambda: None),
            streams=streams,
            feed=feed,
            ledger=ledger,
            readers=readers,
            door=door,
            problems=Problems(ANSWERED),
            request_times=RequestTimes(),
            origins=settings.origins,
            allowed_hosts=settings.allowed_hosts,
            public_locations=settings.public_locations,
        )
        yield create_app(parts)


async def _held_to_the_document(answer: httpx.Response) -> None:
    if not answer.headers.get("content-type", "").startswith("text/event-stream"):  # that one has no end
        await answer.aread()
    HUB.check_answer(answer)


HOOKS = {"response": [_held_to_the_document]}
