"""From the release before to this one, and back."""

import pytest

from tests.harness.size import SIZE
from tests.upgrades.conftest import ReleaseNamed
from tests.upgrades.field import Grounds
from tests.upgrades.upgrade import upgrade_again_and_again

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("processes", "sized")]


async def test_a_shop_sells_beside_the_release_before_in_every_mix_and_goes_back_to_it(
    release_named: ReleaseNamed, grounds_of_fields: Grounds
) -> None:
    await upgrade_again_and_again(grounds_of_fields, release_named("the one before"), release_named("this"))
