"""Three ledger processes race with operations of several lines; one dies; backends are killed; nothing is torn."""

import asyncio
import logging
import random
import secrets
from collections import Counter
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import text

from tests.faults.replicas import add_catalog, later, line, move, replicas
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.ledger.commit_path import CommitPath, commit_path
from tests.ledger.killed_backends import killed_backends

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]

logger = logging.getLogger(__name__)

SKUS = [f"S{number:02d}" for number in range(40)]
LOCATIONS = ["berlin", "paris", "rome"]
OPERATIONS = SIZE.of(3_000)
CALLERS = 48
TIMES_MAX = 10
KEYS_SHARED = 0.2
"""The share of operations whose key is sent to another process as well."""

Lines = tuple[dict[str, object], ...]
Answer = tuple[str, httpx.Response | None]
"""By its key; None when the connection broke first."""


async def test_one_of_three_racing_processes_is_killed_and_backends_too(system: ProcessSystem) -> None:
    await asyncio.gather(*(system.start_ledger() for _ in range(3)))
    async with replicas(system) as ledgers:
        await add_catalog(ledgers[0], SKUS, LOCATIONS)
        for place in LOCATIONS:
            (await move(ledgers[0], f"stock-{place}", *(line(sku, 60, place) for sku in SKUS))).raise_for_status()
        answers, killed = await _race(system, ledgers)
    unknown = sum(answer is None for _, answer in answers)
    assert unknown > 0, "nobody noticed the killed process: the kill came too late"
    assert killed > 0, "no backend was killed"
    async with commit_path(system.database_url) as path:
        assert await path.audit() == []
        stored = await _stored(path)
        deadlocks = await path.scalar("select deadlocks from pg_stat_database where datname = current_database()")
        batches = await path.scalar("select count(distinct (shard, committed_at)) from stock_event")
    for key, answer in answers:
        _assert_agrees(key, answer, stored)
    statuses = Counter(answer.status_code for _, answer in answers if answer)
    logger.info(
        "answers %s, %d lost; %d backends killed, %d deadlocks in %d batches",
        dict(statuses),
        unknown,
        killed,
        deadlocks,
        batches,
    )
    assert statuses[201] > OPERATIONS // 4
    assert deadlocks <= 0.05 * batches, f"{deadlocks} deadlocks in {batches} batches"


async def _race(system: ProcessSystem, ledgers: list[httpx.AsyncClient]) -> tuple[list[Answer], int]:
    """And how many backends were killed meanwhile."""
    answers: list[Answer] = []

    async def caller(upcoming: Iterator[tuple[str, Lines, bool]]) -> None:
        for key, lines, shared in upcoming:
            targets = random.sample(range(3), 2 if shared else 1)
            results = await asyncio.gather(*(_send(ledgers[target], key, lines) for target in targets))
            answers.extend((key, result) for result in results)
            if len(answers) >= OPERATIONS // 3:
                system.ledgers[2].kill()

    async with killed_backends(system.database_url) as killed:
        upcoming = _requests_until(lambda: killed.backends > 0)
        await asyncio.gather(*(caller(upcoming) for _ in range(CALLERS)))
    return answers, killed.backends


def _requests_until(hit: Callable[[], bool]) -> Iterator[tuple[str, Lines, bool]]:
    """``OPERATIONS``; and as many again while none was at work whenever one was to be killed."""
    for _ in range(TIMES_MAX):
        yield from _requests()
        if hit():
            return


def _requests() -> list[tuple[str, Lines, bool]]:
    requests = []
    for _ in range(OPERATIONS):
        places = random.choices(LOCATIONS, k=1) if random.random() < 0.8 else LOCATIONS
        lines = tuple(
            line(random.choice(SKUS), random.choice((-4, -2, -1, 1, 2)), random.choice(places))
            for _ in range(random.randint(1, 4))
        )
        requests.append((secrets.token_hex(8), lines, random.random() < KEYS_SHARED))
    return requests


async def _send(ledger: httpx.AsyncClient, key: str, lines: Lines) -> httpx.Response | None:
    try:
        return await move(ledger, key, *lines)
    except httpx.TransportError:
        return None


def _assert_agrees(key: str, answer: httpx.Response | None, stored: dict[str, tuple[str | None, int]]) -> None:
    if answer is None or later(answer):
        return
    assert key in stored, f"{key} was answered with {answer.status_code} and is not stored"
    refusal, events = stored[key]
    if answer.status_code == 201:
        assert refusal is None
        assert events == len(answer.json()["events"])
    else:
        assert (answer.status_code, refusal) == (409, answer.json()["type"]), answer.text


async def _stored(path: CommitPath) -> dict[str, tuple[str | None, int]]:
    """By key: the type of the refusal, and how many events there are."""
    async with path.engine.connect() as connection:
        rows = await connection.execute(
            text(
                "select o.key, o.refusal->>'type', count(e.seq) from operation o"
                " left join stock_event e on e.operation = o.id group by o.id"
            )
        )
        return {key: (refusal, events) for key, refusal, events in rows}
