"""The process fixtures: real processes, ready when they say so, back at the same address, their tracebacks noticed."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.harness.children import ours
from tests.harness.processes import ServerProcess, clean_environment
from tests.harness.system import ProcessSystem, System
from tests.harness.waiting import PATIENCE_S


async def test_a_ledger_answers_when_it_says_that_it_is_ready(process_system: ProcessSystem) -> None:
    ledger = await process_system.start_ledger()
    async with httpx.AsyncClient() as http:
        assert (await http.get(f"{ledger.url}/readyz", timeout=PATIENCE_S)).status_code == 200
        assert (await http.get(f"{ledger.admin}/metrics", timeout=PATIENCE_S)).status_code == 200


async def test_a_killed_ledger_comes_back_at_the_same_address(process_system: ProcessSystem) -> None:
    ledger = await process_system.start_ledger()
    url, pid = ledger.url, ledger.pid
    ledger.kill()
    assert not ledger.running
    await ledger.restart()
    assert ledger.url == url
    assert ledger.pid != pid


async def test_ledgers_name_the_hubs_that_are_planned(system: System) -> None:
    system.plan_hubs(1)
    ledger = await system.start_ledger()
    async with httpx.AsyncClient() as http:
        answer = (await http.get(f"{ledger.url}/v1/discovery", timeout=PATIENCE_S)).json()
    assert [list(hub) for hub in answer["hubs"]] == [["stream", "read"]]


async def test_a_server_that_cannot_start_fails_with_what_it_said(
    system: System, process_system: ProcessSystem
) -> None:
    for house in (system, process_system):
        with pytest.raises(AssertionError, match="STOCKWIRE_LEDGER_PORT=-1 is out of range"):
            await house.start_ledger(STOCKWIRE_LEDGER_PORT=-1)


@pytest.mark.usefixtures("processes")
async def test_an_unexpected_traceback_is_an_error(system: System) -> None:
    program = "print('{\"ready\":true}', flush=True); 1 / 0"
    process = ServerProcess("crashing", clean_environment({}), system.folder, ["-c", program])
    await process.start()
    assert await process.wait() == 1
    with pytest.raises(AssertionError, match=re.escape("ZeroDivisionError")):
        process.check_log()
    process.tracebacks_expected = True
    process.check_log()


def test_settings_of_the_machine_do_not_reach_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCKWIRE_LEDGER_PORT", "1")
    environment = clean_environment({"STOCKWIRE_HUB_NODE": "x", "STOCKWIRE_HUB_KEY": None})
    assert [name for name in environment if name.startswith("STOCKWIRE_")] == ["STOCKWIRE_HUB_NODE"]


@pytest.mark.usefixtures("processes")
def test_a_process_that_is_left_behind_is_found(tmp_path: Path) -> None:
    """Its parent is gone, so it is nobody's child any more; the mark in its environment remains."""
    orphan = (
        "import subprocess, sys\n"
        "waits = [sys.executable, '-c', 'import sys; sys.stdin.read()']\n"
        "print(subprocess.Popen(waits, stdout=subprocess.DEVNULL).pid)"
    )
    reading, writing = os.pipe()
    try:
        started = subprocess.run(
            [sys.executable, "-c", orphan],
            stdin=reading,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=PATIENCE_S,
            env=clean_environment({}),
        )
        assert int(started.stdout) in {process.pid for process in ours(tmp_path)}
    finally:
        os.close(reading)
        os.close(writing)
