"""A page that knows one hub finds all, whatever the ledgers do meanwhile, and asks them no more than it must."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed.ledger_client import LedgerClient
from hub.reads import discovery
from hub.reads.discovery import CACHEABLE
from tests.conftest import StartSystem
from tests.hub.reader import client, read_port


async def test_a_hub_tells_what_the_ledger_tells(start_system: StartSystem) -> None:
    system = await start_system(hubs=0)
    system.plan_hubs(2)
    ledger = await system.start_ledger(STOCKWIRE_CHANNELS_URL="https://channels.example/")
    hub = await system.start_hub(ledger_urls=[ledger.url])
    async with client(hub.url) as anybody, httpx.AsyncClient(trust_env=False) as http:
        answer = await anybody.get("/v1/discovery")
        told = (await http.get(f"{ledger.url}/v1/discovery")).json()
        assert answer.json() == told
        assert len(told["hubs"]) == 2
        assert told["channels"] == "https://channels.example"
        assert answer.headers["Cache-Control"] == CACHEABLE
        assert "RateLimit" not in answer.headers, "a shared cache would tell it to others"


async def test_what_was_known_is_told_on_while_ledgers_are_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "KEEP_S", 0.0)
    monkeypatch.setattr(discovery, "KEEP_OLD_S", 0.0)
    away = LedgerUnavailable("away")
    answers: list[bytes | Exception] = [
        away,
        LedgerRefused(404, "no such path"),
        b'{"n":1}',
        away,
        LedgerRefused(403, "no"),
        b'{"n":2}',
    ]
    _answering(monkeypatch, answers)
    statuses, bodies = [], []
    async with _anybody() as anybody:
        while answers:
            answer = await anybody.get("/v1/discovery")
            statuses.append(answer.status_code)
            bodies.append(answer.json().get("n"))
    assert (statuses, bodies) == ([503, 503, 200, 200, 200, 200], [None, None, 1, 1, 1, 2])


async def test_a_thousand_pages_cost_the_ledger_one_question(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _answering(monkeypatch, [b"{}"])
    async with _anybody() as anybody:
        answers = await asyncio.gather(*(anybody.get("/v1/discovery") for _ in range(1_000)))
    assert ({answer.status_code for answer in answers}, len(asked)) == ({200}, 1)


async def test_one_address_may_not_ask_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, [b"{}"] * 100)
    async with _anybody(rate_per_s=1) as anybody:
        refused = [answer for _ in range(50) if (answer := await anybody.get("/v1/discovery")).status_code == 429]
    assert refused
    assert int(refused[0].headers["Retry-After"]) >= 1


@asynccontextmanager
async def _anybody(rate_per_s: float = 0) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        read_port(rate_per_s=rate_per_s) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as anybody,
    ):
        yield anybody


def _answering(monkeypatch: pytest.MonkeyPatch, answers: list[bytes | Exception]) -> list[None]:
    """The ledgers answer with these, one after the other. Returns what grows with each question."""
    asked: list[None] = []

    async def answer(_self: LedgerClient) -> bytes:
        asked.append(None)
        await asyncio.sleep(0)
        told = answers.pop(0)
        if isinstance(told, Exception):
            raise told
        return told

    monkeypatch.setattr(LedgerClient, "discovery", answer)
    return asked
