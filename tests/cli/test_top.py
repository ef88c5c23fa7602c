"""`stockwire top` on a running system: what it counts, and a process that goes and comes back."""

import json
import os
import signal
from typing import Any

from tests.cli.running import PROGRAM, RunningUp
from tests.harness.pseudo_terminal import PseudoTerminal

LOOKS_MAX = 20
"""On a busy machine a process may answer too late for one look, and not for each."""


def one_look(up: RunningUp) -> dict[str, Any]:
    done = up.command("top", "--once", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    look: dict[str, Any] = json.loads(line)
    return look


def is_whole(look: dict[str, Any]) -> bool:
    """Every process answered twice, and the client that `up` measures with was there."""
    rates = [node["changes_per_s"] for node in look["nodes"] if node["kind"] != "channels"]
    return look["totals"]["up"] == 4 and bool(look["totals"]["clients"]) and None not in rates


def test_one_look_gives_every_process_with_what_it_does(up: RunningUp) -> None:
    for _ in range(LOOKS_MAX):
        look = one_look(up)
        if is_whole(look):
            break
    assert {node["name"]: node["kind"] for node in look["nodes"]} == {
        "ledger": "ledger",
        "hub-1": "hub",
        "hub-2": "hub",
        "channels": "channels",
    }
    assert look["totals"]["up"] == 4
    assert look["totals"]["clients"] >= 1, "the client that `up` measures with"
    assert all(node["changes_per_s"] is not None for node in look["nodes"] if node["kind"] != "channels")


def test_named_admin_ports_need_no_up_here(up: RunningUp) -> None:
    admin = up.run["admin"]["hub-1"]
    done = up.command("top", "--once", "--admin", admin)
    heading, row = done.stdout.splitlines()[2:]
    assert heading.split()[:4] == ["node", "state", "clients", "changes/s"]
    assert row.split()[0] == "hub-1", "what it calls itself, not where it is"


def test_a_hub_that_hangs_is_away_and_comes_back(up: RunningUp) -> None:
    def row(lines: list[str], name: str) -> list[str]:
        return next((line.split() for line in lines if line.startswith(name)), ["", ""])

    with PseudoTerminal([str(PROGRAM), "top"], up.environment()) as terminal:
        terminal.wait_for(lambda lines: row(lines, "hub-2")[1] == "fresh" and row(lines, "ledger")[3] != "–", "rates")
        pid = up.run["pids"]["hub-2"]
        os.kill(pid, signal.SIGSTOP)  # one that is killed is back before anybody looks
        try:
            terminal.wait_for(
                lambda lines: row(lines, "hub-2")[1] == "away" and lines[0].startswith("3 of 4 up"),
                "a hub that is away, alone",
            )
        finally:
            os.kill(pid, signal.SIGCONT)
        terminal.wait_for(lambda lines: row(lines, "hub-2")[1] == "fresh", "the hub again")
        terminal.interrupt()
        assert terminal.wait() == 130
        assert terminal.screen.lines() == []
