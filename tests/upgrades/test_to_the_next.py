"""From this release to one with a migration of its own, and back, and there for good."""

import pytest

from tests.harness.size import SIZE
from tests.upgrades.conftest import ReleaseNamed
from tests.upgrades.field import Grounds
from tests.upgrades.upgrade import upgrade_again_and_again

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("processes", "sized")]


async def test_a_shop_sells_through_an_expand_every_mix_a_rollback_and_a_contract_killed_at_each_step(
    release_named: ReleaseNamed, grounds_of_fields: Grounds
) -> None:
    await upgrade_again_and_again(grounds_of_fields, release_named("this"), release_named("the next"))
