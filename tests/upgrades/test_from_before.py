"""From before 0.1.0, when no ledger showed itself yet: the shop sells while its schema is brought to this release's."""

import logging
import random

import pytest

from ledger.migrations.revisions import revisions
from tests.harness.release_tree import Release, this_release
from tests.harness.size import SIZE
from tests.upgrades.conftest import ReleaseNamed
from tests.upgrades.field import Field, Grounds
from tests.upgrades.migrations import are_whole, killed_at_each_step, migrated, refused

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("processes", "sized")]

logger = logging.getLogger(__name__)

SEED = 16
ROUNDS = SIZE.of(5)
SCHEMAS = ["schema 0001", "schema 0002"][: SIZE.of(2)]
"""The longer way goes through all that the shorter one does."""
KILLED = 0.5
"""The share of servers that are killed when they are replaced; the others are stopped."""
OPERATIONS = 2
"""Of each till between two steps, whose last stands on every screen."""


@pytest.mark.parametrize("schema", SCHEMAS)
async def test_ledgers_from_before_sell_during_the_expand_and_hold_up_the_contract_until_they_are_replaced(
    schema: str, release_named: ReleaseNamed, grounds_of_fields: Grounds
) -> None:
    old = release_named(schema)
    for number in range(ROUNDS):
        seed = SEED + number
        public = old.schema > "0001"  # there was nothing to be seen by the public
        async with grounds_of_fields.field(old, {"old": old}, seed=seed, public=public) as field:
            field.tills.go()
            killed = await _upgraded(field, old, random.Random(seed))
            figures = await field.verdict()
            logger.info("from %s: %s; %d migrations killed", old.name, figures, killed)


async def _upgraded(field: Field, old: Release, chance: random.Random) -> int:
    """Returns how many migrations were killed."""

    async def sell(_line: str = "") -> None:
        await field.tills.sold_and_shown(OPERATIONS)

    new = this_release()
    steps = await killed_at_each_step(new, field.url, chance, when_killed=sell)
    assert are_whole(steps)
    assert [one[:4] for one in steps if " step 1 of " in one] == due_after(old.schema)
    for ledger in field.system.ledgers:
        reason = await refused(new, field.url, "--contract")
        assert "stockwire (from before 0.1.0, " in reason
        await field.become(ledger, new, killed=chance.random() < KILLED)
        await sell()
    for hub in field.system.hubs:
        await field.become(hub, new, killed=chance.random() < KILLED)
    steps += await killed_at_each_step(new, field.url, chance, "--contract", when_killed=sell)
    assert await migrated(new, field.url, "--contract") == "Nothing is left to contract.\n"
    await sell()
    return len(steps)


def due_after(schema: str) -> list[str]:
    return [one.number for one in revisions() if one.number > schema]
