"""The terminal is always given back, and never read while somebody else has it: with a real shell and job control."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.job_terminal import JobTerminal
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

PROGRAM = """
import asyncio, os, signal, sys
from cli.terminal.keyboard import Keyboard
from cli.launch import Watchdog

async def main(watchdog):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    keyboard = Keyboard(os.ttyname(0), watchdog, lambda typed: say(f"key {typed}"), lambda: say("resumed"))
    async with asyncio.TaskGroup() as tasks:
        listening = tasks.create_task(keyboard.run())
        say(f"pid {os.getpid()}.")
        await stop.wait()
        if "crash" in sys.argv:
            raise ValueError("crashed")
        listening.cancel()

def say(text):
    print(text, flush=True)

with Watchdog() as watchdog:
    asyncio.run(main(watchdog))
say("over")
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[JobTerminal]:
    """Interactive, but without an editor of lines: what the terminal's settings are is then the job's doing alone."""
    if (bash := shutil.which("bash")) is None:
        pytest.skip("no bash on this machine")
    (tmp_path / "keys.py").write_text(PROGRAM)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PS1": "ready> ", "HOME": str(tmp_path)}
    with JobTerminal([bash, "--norc", "--noprofile", "--noediting", "-i"], environment, tmp_path) as terminal:
        terminal.expect("ready> ")
        yield terminal
        terminal.type("exit\n")


def start(shell: JobTerminal, *arguments: str) -> int:
    shell.type(f"{sys.executable} keys.py {' '.join(arguments)}\n")
    pid = int(shell.expect(r"pid (\d+)\.")[1])
    if "&" not in arguments:
        shell.until(single_keys=True)
    return pid


def test_a_key_counts_at_once_and_is_not_echoed(shell: JobTerminal) -> None:
    start(shell)
    shell.type("x")
    assert shell.expect("(.*)key x")[1] == ""


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again(shell: JobTerminal) -> None:
    start(shell)
    shell.type("\x1a")
    shell.expect("Stopped[^$]*ready> ")
    assert not shell.takes_single_keys
    shell.type("echo back=$((1+1))\n")
    shell.expect("back=2")
    shell.type("fg\n")
    shell.expect("resumed")
    shell.until(single_keys=True)
    shell.type("y")
    shell.expect("key y")


def test_a_background_job_leaves_every_key_to_the_shell_and_is_not_stopped(shell: JobTerminal) -> None:
    start(shell, "&")
    shell.type("jobs; echo sum=$((2+2))\n")
    shell.expect("Running[^$]*sum=4")
    assert not shell.takes_single_keys
    shell.type("fg\n")  # sends no signal to a job that runs
    shell.until(single_keys=True)
    shell.type("z")
    shell.expect("key z")


@pytest.mark.parametrize("arguments", [(), ("crash",)])
def test_its_end_gives_the_terminal_back_as_it_was(shell: JobTerminal, arguments: tuple[str, ...]) -> None:
    before = shell.settings
    pid = start(shell, *arguments)
    os.kill(pid, signal.SIGTERM)
    shell.expect("ValueError: crashed" if arguments else "over")
    shell.expect("ready> ")
    assert shell.settings == before


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[JobTerminal]:
    """The program without any shell above that would mend the terminal."""
    (tmp_path / "keys.py").write_text(PROGRAM)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with JobTerminal([sys.executable, "keys.py"], environment, tmp_path) as terminal:
        terminal.until(single_keys=True)
        yield terminal


def test_the_watchdog_gives_the_terminal_back_when_we_are_killed(alone: JobTerminal) -> None:
    os.kill(alone.process.pid, signal.SIGKILL)
    alone.until(single_keys=False)
    assert alone.settings == alone.before


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_and_continued_from_outside_it_knows_what_to_give_back(alone: JobTerminal, end: signal.Signals) -> None:
    """Nobody has touched the terminal meanwhile: what is found there are our own settings."""
    for number in (signal.SIGSTOP, signal.SIGCONT):
        os.kill(alone.process.pid, number)
    alone.expect("resumed")
    os.kill(alone.process.pid, end)
    alone.until(single_keys=False)
    assert alone.settings == alone.before
