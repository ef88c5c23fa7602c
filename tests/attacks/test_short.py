"""The short form of `make attacks`: what each meets, that bystanders get everything, that memory comes back."""

import logging

import pytest

from tests.attacks import campaign
from tests.attacks.campaign import Row
from tests.attacks.striker import ATTACKS
from tests.harness.size import SIZE
from tests.harness.system import ProcessSystem

pytestmark = pytest.mark.usefixtures("campaign")

logger = logging.getLogger(__name__)

BEFORE_S = 0.5
READS_PER_S = 50
"""Few enough for a slow attacker to send more."""
MEMORY_MAX = 3.0
"""Times what a process held before: generous, since a small process grows by a few MB whatever it does."""


@pytest.mark.timeout(SIZE.timeout_s)
async def test_every_attack_meets_what_it_should_and_the_others_notice_little(process_system: ProcessSystem) -> None:
    await campaign.start(process_system, READS_PER_S)
    rows = await campaign.run(process_system, ATTACKS, SIZE.share, BEFORE_S, _log)
    assert [row.attack.name for row in rows] == [attack.name for attack in ATTACKS]
    assert [said for row in rows if (said := row.attack.wrong(row.met))] == []
    assert [row for row in rows if row.memory_after > MEMORY_MAX] == []
    assert [row for row in rows if row.refused] == [], "a bystander's sale was refused"


def _log(row: Row) -> None:
    logger.info("%s: %s", row.attack.title, dict(row.met))
