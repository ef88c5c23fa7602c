"""A hundred thousand listings are compared in the memory of a page: whole by CAMPAIGN_SHARE=1."""

import asyncio
import tracemalloc

import pytest

from followers.marketplaces.terms import Listing, Listings
from tests.followers.marketplaces.orders.conftest import rig as rig
from tests.followers.marketplaces.orders.rig import Rig
from tests.followers.marketplaces.reconciling.shop import Bench, Shop
from tests.harness.size import SIZE

pytestmark = [pytest.mark.timeout(SIZE.timeout_s), pytest.mark.usefixtures("campaign")]
LISTINGS = SIZE.of(100_000)
FEW = LISTINGS // 10
PAGE = 500
FLAT = 1.25
"""Of the peak with a tenth of the listings: what a second page needs while the first is let go of."""
MAPPED = """
insert into mapping (channel, remote, sku, by, at)
select $1, 'many-' || n, $2, 'o', now() - interval '1 hour' from generate_series($3::int, $4::int) as n
"""
AT_REST = """
insert into outgoing (channel, remote, state, sent_quantity, sent_at)
select $1, 'many-' || n, 'rest', 10, now() from generate_series($2::int, $3::int) as n
"""


class Warehouse(Shop):
    """Makes its pages as they are asked for, so that whatever memory is taken is the comparison's."""

    def __init__(self, sku: str) -> None:
        super().__init__()
        self.sku = sku
        self.many = 0

    async def levels(self, cursor: str | None) -> Listings:
        await asyncio.sleep(0)
        begin = int(cursor or 0)
        end = min(self.many, begin + PAGE)
        page = [Listing(f"many-{number}", 10, self.sku) for number in range(begin, end)]
        return Listings(page, str(end) if end < self.many else None)


async def test_memory_is_that_of_a_page_however_many_there_are(rig: Rig) -> None:
    warehouse = Warehouse(rig.sku)
    bench = Bench(rig, warehouse)
    await rig.stock(10)
    await bench.execute("delete from mapping where channel = $1")
    peaks = []
    async with bench.running():
        for many in (FEW, LISTINGS):
            await bench.execute(MAPPED, rig.sku, warehouse.many, many - 1)
            await bench.execute(AT_REST, warehouse.many, many - 1)
            warehouse.many = many
            tracemalloc.start()
            run = await bench.run(deadline_s=SIZE.timeout_s / 2)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            assert (run.compared, run.differing, run.stopped) == (many, 0, None)
    few, all_of_them = peaks
    assert all_of_them < few * FLAT, peaks
