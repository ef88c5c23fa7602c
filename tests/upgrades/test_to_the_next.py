"""From this release to one with a migration of its own, and back, and there for good. Whole only, for it is long: each
`make test` goes from the release before to this one and back, and follows the how-to of an upgrade to its end."""

import pytest

from tests.harness.size import SIZE
from tests.upgrades.conftest import ReleaseNamed
from tests.upgrades.field import Grounds
from tests.upgrades.upgrade import upgrade_again_and_again

pytestmark = [
    pytest.mark.timeout(SIZE.timeout_s),
    pytest.mark.usefixtures("processes", "sized"),
    pytest.mark.skipif(SIZE.share < 1, reason="make campaign: make test has the release before and the how-to's"),
]


async def test_a_shop_sells_through_an_expand_every_mix_a_rollback_and_a_contract_killed_at_each_step(
    release_named: ReleaseNamed, grounds_of_fields: Grounds
) -> None:
    await upgrade_again_and_again(grounds_of_fields, release_named("this"), release_named("the next"))
