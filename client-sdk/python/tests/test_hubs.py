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


async def test_hubs_are_tried_in_turn_and_none_twice_in_a_row() -> None:
    firsts = set()
    for _ in range(100):
        hubs = Hubs(Ledger("a", "b", "c").named)
        tried = [await hubs.next() for _ in range(12)]
        firsts.add(tried[0])
        assert all(set(tried[at : at + 3]) == {"a", "b", "c"} for at in range(10)), tried
    assert firsts == {"a", "b", "c"}, "each begins anywhere"


async def test_a_hub_that_is_added_is_where_those_go_that_the_other_sends_elsewhere() -> None:
    for _ in range(50):
        ledger = Ledger("a")
        hubs = Hubs(ledger.named)
        assert [await hubs.next() for _ in range(3)] == ["a", "a", "a"]
        ledger.urls = ("a", "b")
        assert await hubs.next() == "b"
        ledger.urls = ("b", "a")  # named in another order
        assert all(one != other for one, other in pairwise([await hubs.next() for _ in range(6)]))
