"""Clients whose clock is hours off: lifetimes are measured from what the hub says, by a clock that nobody sets."""

import asyncio
import json
import subprocess
import sys
import time
from typing import Any

import pytest

from tests.client.blocking import open_till
from tests.harness.moved_clock import moved_clock
from tests.harness.processes import clean_environment
from tests.harness.system import System
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

LIFE_S = 20
"""The renewal is due a fifth before the end: more than a machine may stand still."""
RENEWED_AFTER_S_MIN = 0.8 * (LIFE_S - 1) - 0.5
"""A token ends at a whole second. Who trusted a clock that is ahead would renew after 5 s, as often as it may."""
NEAR_S = 60.0
"""How far a moved clock may be from where it was put: a process starts in between."""
OFF_S = 7_200
WATCHES = f"""
import asyncio, json, os, sys, time, urllib.request
from stockwire import AsyncClient, Reconnecting
asked, lost = [], 0

async def token():
    asked.append(time.monotonic())
    request = urllib.request.Request(
        os.environ["STOCKWIRE_URL"] + "/v1/tokens",
        json.dumps({{"scopes": [f"stock:read:{{sys.argv[1]}}"], "ttl_s": {LIFE_S}}}).encode(),
        {{"Authorization": "Bearer " + os.environ["STOCKWIRE_API_KEY"], "Content-Type": "application/json"}},
    )
    return json.load(await asyncio.to_thread(urllib.request.urlopen, request))["token"]

async def main():
    global lost
    async with AsyncClient() as client, client.subscribe(sys.argv[1], token=token) as subscription:
        view = await subscription.ready()
        end = asked[0] + {LIFE_S} + 1
        while (left := end - time.monotonic()) > 0:
            lost += isinstance(await subscription.next_event(left), Reconnecting)
        gaps = [later - earlier for earlier, later in zip(asked, asked[1:])]
        print(json.dumps({{"clock": time.time(), "gaps": gaps, "lost": lost, "state": view.state.value}}))

asyncio.run(main())
"""


def test_a_clock_hours_ahead_or_behind_neither_hurries_renewals_nor_ends_the_stream(
    shared_system: System, unique_name: str
) -> None:
    """A till ahead asked for a token every 10 s; one behind asked too late, and lost its stream with every token."""
    open_till(shared_system, unique_name).client.close()
    ahead, behind = (started(shared_system, unique_name, f"{sign}{OFF_S}s") for sign in "+-")
    for process, off_s in ((ahead, OFF_S), (behind, -OFF_S)):
        told = end_of(process)
        assert abs(told["clock"] - time.time() - off_s) < NEAR_S, "its clock was not moved"
        assert len(told["gaps"]) == 1
        assert told["gaps"][0] >= RENEWED_AFTER_S_MIN
        assert (told["lost"], told["state"]) == (0, "fresh")


def started(system: System, name: str, off: str) -> subprocess.Popen[str]:
    key = asyncio.run(system.admin_key())
    environment = {"STOCKWIRE_URL": system.ledger_url, "STOCKWIRE_API_KEY": key, **moved_clock(off)}
    return subprocess.Popen(
        [sys.executable, "-c", WATCHES, name],
        env=clean_environment(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    printed, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, said) == (0, "")
    told: dict[str, Any] = json.loads(printed)
    return told
