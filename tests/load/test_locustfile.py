"""The real locustfile against a real system: a clean launch passes, and each planted fault is found and named."""

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest

from tests.harness.postgres import PostgresServer
from tests.harness.processes import ROOT, clean_environment
from tests.harness.servers import free_port
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem
from tests.harness.valkey import ValkeyServer
from tests.load.frame_proxy import Copies, frame_proxy
from tests.load.sabotage import Sabotage, book_twice, drop_guards, lose, oversell, sabotage

MINUTES = max(0.25, 0.5 * SIZE.share)
"""A launch; which faults are planted has no fifth. Beside another campaign two processes take seconds to begin."""
DEADLINE_S = 240.0 + 60 * MINUTES
"""Whether it ends at all, beside another campaign and on a busy machine."""
AT_ONCE = 3
"""Runs side by side: more of them, beside another campaign, would starve each other on two cores, and sell nothing in
their few seconds."""
SMALL = (
    "--users-peak",
    "12",
    "--minutes",
    f"{MINUTES:g}",
    "--skus",
    "6",
    "--headless",
    "--only-summary",
    "--late-s",
    "60",
)

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one run of locust ended with. ``faults``: counts by name."""

    status: int
    printed: str
    html: str
    faults: dict[str, int]

    @property
    def found(self) -> set[str]:
        return {name for name, count in self.faults.items() if count}


@dataclass(frozen=True, slots=True)
class Plan:
    """``work`` is done to the books, ``copies`` to what hubs send. ``quiet_s``: it ends when all screens are right."""

    quiet_s: int = 10
    processes: int = 0
    work: Sabotage | None = None
    copies: Copies | None = None


PLANS = {
    "clean": Plan(),
    "clean, two processes": Plan(processes=2),
    "oversold": Plan(work=oversell),
    "lost": Plan(processes=2, work=lose),
    "booked twice": Plan(work=book_twice),
    "sent twice": Plan(copies=lambda number: 2 if number else 1),
    "stale": Plan(quiet_s=4, copies=lambda number: int(number <= 1)),
}


@pytest.fixture(scope="module")
def rehearsals(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, valkey: ValkeyServer, template_database: str
) -> Iterator[dict[str, Rehearsal]]:
    """Some side by side, each with a location of its own, over one database that no other test uses."""
    folder = tmp_path_factory.mktemp("load")
    name = postgres.create_database(template_database)
    system = ProcessSystem(folder, postgres.url(name), valkey.url, f"load-{secrets.token_hex(4)}")
    try:
        yield asyncio.run(run_all(system, folder))
    finally:
        postgres.drop_database(name)


async def run_all(system: ProcessSystem, folder: Path) -> dict[str, Rehearsal]:
    await drop_guards(system.database_url)
    turns = asyncio.Semaphore(AT_ONCE)

    async def in_turn(name: str, plan: Plan) -> Rehearsal:
        async with turns:
            return await run(system, folder, name, plan)

    try:
        await system.start()
        # Every run ends in this loop, also when another fails: what is left of a process complains in a closed one
        ended = await asyncio.gather(*(in_turn(*named) for named in PLANS.items()), return_exceptions=True)
    finally:
        await system.stop()
    rehearsals = {}
    for name, outcome in zip(PLANS, ended, strict=True):
        if isinstance(outcome, BaseException):
            raise outcome
        rehearsals[name] = outcome
    return rehearsals


async def run(system: ProcessSystem, folder: Path, name: str, plan: Plan) -> Rehearsal:
    location, report = f"l-{secrets.token_hex(4)}", folder / f"{name}.html"
    arguments = [*SMALL, "--quiet-s", str(plan.quiet_s), "--location", location, "--html", str(report)]
    if plan.processes:
        port = str(free_port())
        arguments += ["--processes", str(plan.processes), "--master-bind-port", port, "--master-port", port]
    async with contextlib.AsyncExitStack() as stack:
        if plan.copies is not None:
            urls = [await stack.enter_async_context(frame_proxy(url, plan.copies)) for url in system.stream_urls]
            arguments += ["--hubs", ",".join(urls)]
        running = asyncio.create_task(locust(system, arguments))
        if plan.work is not None:
            planting = asyncio.create_task(sabotage(system.database_url, location, plan.work))
            await asyncio.wait((running, planting), return_when=asyncio.FIRST_COMPLETED)
            if planting.done():
                planting.result()
            planting.cancel()  # nothing was sold: what the run printed says why
        status, printed = await running
    verdict = report.with_suffix(".json")
    assert verdict.exists(), f"{name}: no verdict\n{printed}"
    faults = {row["fault"]: row["count"] for row in orjson.loads(verdict.read_bytes())["faults"]}
    return Rehearsal(status, printed, report.read_text(), faults)


async def locust(system: ProcessSystem, arguments: list[str]) -> tuple[int, str]:
    """The exit status, and what was printed."""
    settings = {"STOCKWIRE_URL": system.ledger_url, "STOCKWIRE_API_KEY": await system.admin_key()}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), *arguments),
        cwd=ROOT,
        env=clean_environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(DEADLINE_S):
            printed, _ = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode is not None
    return process.returncode, printed.decode()


@pytest.mark.parametrize("name", ["clean", "clean, two processes"])
def test_a_launch_without_faults_passes(rehearsals: dict[str, Rehearsal], name: str) -> None:
    ended = rehearsals[name]
    assert ended.found == set(), ended.printed
    assert ended.status == 0, ended.printed
    assert "PASSED" in ended.printed
    assert "commit to screen" in ended.printed


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("oversold", {"oversold", "unasked"}),
        ("lost", {"lost"}),
        ("booked twice", {"seen twice"}),
        ("sent twice", {"seen twice"}),
        ("stale", {"stale"}),
    ],
)
def test_a_planted_fault_fails_the_run_under_its_name(
    rehearsals: dict[str, Rehearsal], name: str, found: set[str]
) -> None:
    ended = rehearsals[name]
    assert ended.found == found, ended.printed
    assert ended.status == 1, ended.printed
    for fault in found:
        assert f"\n  {fault}: " in ended.printed


def test_the_html_report_shows_the_verdict(rehearsals: dict[str, Rehearsal]) -> None:
    assert "PASSED: nothing oversold" in rehearsals["clean"].html
    assert "FAILED: lost" in rehearsals["lost"].html


async def test_without_a_system_it_says_so_and_fails(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), *SMALL),
        cwd=ROOT,
        env=clean_environment({"STOCKWIRE_DATA": str(tmp_path)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    async with asyncio.timeout(DEADLINE_S):
        printed, _ = await process.communicate()
    assert process.returncode == 78, printed
    assert b"no ledger named" in printed
