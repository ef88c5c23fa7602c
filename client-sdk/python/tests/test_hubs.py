"""Who is sent elsewhere by a hub does not come back to it while there is another one."""

from collections.abc import Sequence
from itertools import pairwise

from stockwire.asyncio.hubs import Hubs


class Ledger:
    """Names these hubs, in this order."""

    def __init__(self, *urls: str) -> None:
        self.urls = urls

    async def named(self) -> Sequence[str]:
        return self.urls


async def test_each_hub_is_tried_once_in_a_round_and_none_twice_in_a_row() -> None:
    orders = set()
    for _ in range(200):
        hubs = Hubs(Ledger("a", "b", "c").named)
        tried = [await hubs.next() for _ in range(12)]
        orders.add(tuple(tried[:3]))
        assert all(set(tried[at : at + 3]) == {"a", "b", "c"} for at in range(0, 12, 3)), tried
        assert all(one != other for one, other in pairwise(tried)), tried
    assert len(orders) == 6, "clients begin anywhere, and those of one hub go on to all others"


async def test_a_hub_that_is_added_is_where_those_go_that_the_other_sends_elsewhere() -> None:
    for _ in range(50):
        ledger = Ledger("a")
        hubs = Hubs(ledger.named)
        assert [await hubs.next() for _ in range(3)] == ["a", "a", "a"]
        ledger.urls = ("a", "b")
        assert await hubs.next() == "b"
        ledger.urls = ("b", "a")  # named in another order
        assert all(one != other for one, other in pairwise([await hubs.next() for _ in range(6)]))
