"""The sample is imported while clients watch and every part is killed: it finishes, and everybody agrees."""

import asyncio
import gzip
import json
import logging
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.sample_shop import FILE
from stockwire import AsyncClient
from stockwire.importing.plan import Plan, make_plan
from stockwire.importing.sheet import read_sheet
from tests.cli.running import PROGRAM, RunningUp
from tests.faults.watcher import Watcher, await_agreement, watching_hub
from tests.harness.size import SIZE
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("campaign")

logger = logging.getLogger(__name__)

LOCATION = "warehouse"
LINES = min(SIZE.of(25_281), 25_281)
"""Of the sample, from its beginning. Each part is killed once: that has no fifth."""
WATCHERS = 20
KILLS = {"hub-1": 0.2, "valkey": 0.27, "ledger": 0.34, "postgres": 0.41}
"""Who is killed, and the share of the import's events after which."""
LANDED_MIN, LANDED_MAX = 0.15, 0.97
"""All that must be so: the import was under way."""
IMPORT_DEADLINE_S = 240.0


@pytest.mark.timeout(SIZE.timeout_s + IMPORT_DEADLINE_S)
async def test_an_import_survives_the_death_of_every_part(tmp_path: Path) -> None:
    file = tmp_path / "sales.csv"
    plan = _plan(file)
    applied = sum(booking.file_lines for booking in plan.bookings)
    up = RunningUp(tmp_path, "--replay", "0", "--hubs", "2", "--no-console")
    try:
        await asyncio.to_thread(up.start)
        run = up.run
        async with AsyncClient(run["ledger"], run["key"]) as client, _watchers(run) as watchers:
            landed: dict[str, float] = {}
            killing = asyncio.create_task(asyncio.to_thread(_kill_on_the_way, up, plan, landed))
            first = await _import(up, file)
            await killing
            booked = [first[name] for name in ("read", "applied", "refused", "rejected")]
            assert booked == [LINES, applied, 0, len(plan.rejects)]
            assert landed.keys() == KILLS.keys()
            assert all(LANDED_MIN <= share <= LANDED_MAX for share in landed.values()), landed
            ended = time.monotonic()
            await await_agreement(client, LOCATION, watchers)
            logger.info(
                "%s; killed at %s; %d views agree after %.1f s",
                first,
                {name: f"{share:.0%}" for name, share in landed.items()},
                len(watchers),
                time.monotonic() - ended,
            )
            heads = await asyncio.to_thread(_heads, up)
            again = await _import(up, file)
            assert [again[name] for name in ("applied", "before", "opening")] == [applied, applied, 0]
            assert await asyncio.to_thread(_heads, up) == heads, "a second import changed something"
        audit = await asyncio.to_thread(up.command, "doctor", "--audit")
        assert audit.returncode == 0, audit.stdout + audit.stderr
    finally:
        await asyncio.to_thread(up.stop)


def _plan(file: Path) -> Plan:
    """What an import of the sample's first LINES, which are written to ``file``, has to book."""
    assert FILE is not None
    with gzip.open(FILE) as whole:
        file.write_bytes(b"".join(islice(whole, 1 + LINES)))
    return make_plan(read_sheet(file), LOCATION)


@asynccontextmanager
async def _watchers(run: dict[str, Any]) -> AsyncIterator[list[Watcher]]:
    """Half on each hub, of the whole location."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(watching_hub(run["hubs"][number % 2], run["key"], LOCATION))
            for number in range(WATCHERS)
        ]


async def _import(up: RunningUp, file: Path) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *("import", "sales", str(file), "--location", LOCATION, "--opening", "needed"),
        "--json",
        env=up.environment(),
        cwd=file.parent,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(IMPORT_DEADLINE_S):
        out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    result: dict[str, Any] = json.loads(out.decode().splitlines()[-1])
    return result


def _kill_on_the_way(up: RunningUp, plan: Plan, landed: dict[str, float]) -> None:
    """``landed``: at which share of the import's events each kill came.

    In a thread of its own: the loop is busy with what twenty watchers receive, and would look too late.
    """
    expected = sum(len({line.sku for line in booking.lines}) for booking in plan.bookings)
    expected += len(plan.items)
    begun = sum(_heads(up).values())
    for name, share in KILLS.items():
        done = 0.0
        while done < share:
            time.sleep(0.01)
            done = (sum(_heads(up).values()) - begun) / expected
        os.kill(up.run["pids"][name], signal.SIGKILL)
        landed[name] = done


def _heads(up: RunningUp) -> dict[int, int]:
    """By shard, however long the ledger is away."""
    run = up.run
    headers = {"Authorization": f"Bearer {run['key']}"}
    deadline = time.monotonic() + PATIENCE_S
    with httpx.Client(trust_env=False, verify=False, timeout=2, headers=headers) as http:
        while True:
            try:
                answer = http.get(f"{run['ledger']}/v1/shards")
                if answer.status_code == 200:
                    return {shard["shard"]: shard["head"] for shard in answer.json()["shards"]}
            except httpx.HTTPError as error:
                if time.monotonic() > deadline:
                    raise AssertionError("the ledger did not come back") from error
            time.sleep(0.05)
