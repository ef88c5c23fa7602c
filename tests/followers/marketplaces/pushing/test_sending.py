"""One poisoned listing stops no other, also where a channel refuses a batch whole."""

import pytest

from followers.marketplaces.adapter import (
    Adapter,
    Applied,
    Check,
    Listing,
    Listings,
    Notice,
    Order,
    Orders,
    Outcome,
    Received,
    Refused,
    RemoteAway,
    Target,
    Unknown,
)
from followers.marketplaces.pushing.sending import send


class AllOrNothing(Adapter):
    """Refuses a batch whole that has one of ``poisoned``; ``away_at``: a listing at which it goes away."""

    batch = 100

    def __init__(self, poisoned: set[str], away_at: str = "") -> None:
        self.poisoned = poisoned
        self.away_at = away_at
        self.pushes = 0

    async def push(self, targets: list[Target]) -> list[Outcome]:  # type: ignore[override]  # lists compare shorter
        self.pushes += 1
        remotes = {target.remote for target in targets}
        if self.away_at in remotes and len(remotes) <= 4:
            raise RemoteAway("broke off")
        return [Refused("a listing is wrong") if remotes & self.poisoned else Applied()] * len(targets)

    async def levels(self, cursor: str | None) -> Listings:
        raise AssertionError("nothing is read")

    async def read(self, remotes: object) -> list[Listing]:
        raise AssertionError("nothing is read")

    async def orders(self, since: object, cursor: str | None) -> Orders:
        raise AssertionError("nothing is polled")

    async def order(self, identifier: str) -> Order | None:
        raise AssertionError("nothing is polled")

    async def receive(self, notice: Notice) -> Received:
        raise AssertionError("nothing comes in")

    async def check(self, notices_url: str | None) -> Check:
        raise AssertionError("nothing is checked")


def targets(number: int) -> list[Target]:
    return [Target(str(at), 1, None, f"k{at}") for at in range(number)]


@pytest.mark.parametrize("poisoned", [set(), {"0"}, {"7"}, {"3", "12"}])
async def test_all_good_ones_go_out_in_few_pushes(poisoned: set[str]) -> None:
    adapter = AllOrNothing(poisoned)
    outcomes = await send(adapter, targets(16))
    assert [isinstance(one, Refused) for one in outcomes] == [str(at) in poisoned for at in range(16)]
    assert adapter.pushes <= 1 + 8 * len(poisoned)


async def test_what_was_done_is_kept_where_the_rest_breaks_off() -> None:
    outcomes = await send(AllOrNothing({"1"}, away_at="7"), targets(8))
    assert outcomes[:4] == [Applied(), Refused("a listing is wrong"), Applied(), Applied()]
    assert {type(one) for one in outcomes[4:]} == {Unknown}
