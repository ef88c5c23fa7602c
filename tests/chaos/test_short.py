"""The short form of `make chaos`: every fault under traffic, and everything checked after each."""

import asyncio
import logging
import os
import random
import secrets
from pathlib import Path

import pytest

from cli.launch import Watchdog
from tests.chaos.campaign import Campaign, order
from tests.chaos.faults import DATABASE_KILLED, FAULTS, Fault
from tests.chaos.field import open_field
from tests.chaos.lag import Lag
from tests.chaos.traffic import traffic
from tests.harness.size import SIZE

pytestmark = pytest.mark.usefixtures("campaign")

logger = logging.getLogger(__name__)

SEED = 2026
ROUNDS = SIZE.of(5)
"""Of every fault: which of them strike has no fifth."""
KILLS = SIZE.of(20)
HOLD = min(2 * SIZE.share, 1.0)
"""Of what a fault lasts in `make chaos`: shorter, what is only slow would not be noticed by anybody."""
REQUIRE_ALL = "STOCKWIRE_REQUIRE_FAULTS"
"""Set where every fault must be possible: one that is not fails the run instead of being named as not run."""


@pytest.mark.timeout(SIZE.timeout_s)
@pytest.mark.parametrize("faults", [FAULTS[::2], FAULTS[1::2]], ids=["one half", "the other"])
async def test_nothing_is_lost_or_doubled_and_every_screen_heals_whatever_breaks(
    faults: list[Fault], server_folder: Path, watchdog: Watchdog
) -> None:
    chance, lag = random.Random(SEED), Lag()
    async with open_field(_folder(server_folder), watchdog) as field, traffic(field, chance, lag) as running:
        campaign = Campaign(field, running, lag, chance, logger.info, HOLD)
        for _ in range(ROUNDS):
            for fault in order(faults, chance):
                await campaign.strike(fault)
        if faults[0] is DATABASE_KILLED:
            await campaign.kill_again_and_again(DATABASE_KILLED, KILLS)
    rows = campaign.rows.values()
    for row in rows:
        logger.info("%s", row)
    not_run = [f"{row.fault}: {row.impossible}" for row in rows if row.impossible]
    assert not (not_run and os.environ.get(REQUIRE_ALL)), not_run
    kills = {DATABASE_KILLED.name: KILLS}
    struck = {row.fault: row.struck for row in rows if not row.impossible}
    assert struck == {fault: ROUNDS + kills.get(fault, 0) for fault in struck}
    assert [row.fault for row in rows if row.struck and not row.operations] == [], "nothing was checked"
    assert [task for task in asyncio.all_tasks() if "stockwire" in task.get_name() or "writer" in task.get_name()] == []


def _folder(parent: Path) -> Path:
    folder = parent / f"chaos-{secrets.token_hex(2)}"
    folder.mkdir(mode=0o755)
    return folder
