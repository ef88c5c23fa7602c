"""Who watches without a key is counted apart and gives way first, whatever it tries."""

import pytest

from hub.endings import Ending
from hub.entry.door import Caller, Door
from hub.entry.visitors import REASONS, STAY_S, Port, Visit, Visitors
from hub.errors import Crowded, Ended
from hub.limits import NAMES_MAX, Limits, Rates, VisitorLimits
from server.problems import Later, Overloaded, RateLimited

ANY = VisitorLimits(visitors_max=100, per_address_max=0, per_minute=1_000, per_address_per_minute=0)


class Pages:
    """Pages that visit one hub; ``ended``: which of them had to go, in order."""

    def __init__(self, allowed: VisitorLimits = ANY) -> None:
        self.now = 0.0
        self.visitors = Visitors(allowed, Limits(), ["web"], ["https://shop.example"], lambda: self.now)
        self.ended: list[str] = []

    def come(
        self, name: str, at: float = 0.0, *, address: str = "a", port: Port = Port.STREAM, crowded: bool = False
    ) -> Visit:
        def end(ended: Ended) -> None:
            assert (ended.ending, ended.code) == (Ending.VISITOR_GIVES_WAY, 4100)
            self.ended.append(name)

        self.now = at
        return self.visitors.come(port, address, end, crowded=crowded)

    def refused(self) -> dict[str, int]:
        return {reason: count for reason, count in self.visitors.refused.items() if count}


def test_of_all_of_them_and_of_one_address_there_are_so_many_and_places_come_back() -> None:
    pages = Pages(VisitorLimits(visitors_max=3, per_address_max=2))
    first = pages.come("1")
    pages.come("2", port=Port.EVENTS)
    with pytest.raises(Crowded, match="this address has 2"):
        pages.come("3")
    pages.come("4", address="b")
    with pytest.raises(Overloaded) as refused:
        pages.come("5", address="c")
    assert refused.value.retry_after_s >= 3, "it has the cached availability meanwhile"
    for _ in range(2):
        pages.visitors.leave(first)
    pages.come("6", address="a")
    assert (pages.visitors.at(Port.STREAM), pages.visitors.at(Port.EVENTS), pages.ended) == (2, 1, [])
    assert pages.refused() == {"address": 1, "places": 1}


def test_who_took_all_places_and_stays_makes_room_for_newcomers_after_a_while() -> None:
    pages = Pages(VisitorLimits(visitors_max=2, per_address_max=0))
    pages.come("old", 0.0, port=Port.EVENTS)
    pages.come("young", 10.0)
    with pytest.raises(Overloaded):
        pages.come("new", STAY_S - 1)
    pages.come("new", STAY_S)
    assert pages.ended == ["old"]
    with pytest.raises(Overloaded):
        pages.come("newer", STAY_S)
    assert (pages.visitors.at(Port.STREAM), pages.visitors.at(Port.EVENTS)) == (2, 0)


def test_new_ones_come_at_a_rate_and_one_address_uses_up_its_own_first() -> None:
    pages = Pages(VisitorLimits(per_minute=4, per_address_per_minute=2))
    for name in "12":
        pages.come(name)
    for _ in range(5):
        with pytest.raises(RateLimited, match="an address without a key may send 2 requests in 60 s"):
            pages.come("3")
    for name in "45":
        pages.come(name, address="b")
    with pytest.raises(Overloaded):
        pages.come("6", address="c")
    pages.come("7", 31.0)
    assert pages.refused() == {"address_rate": 5, "rate": 1}


def test_for_a_key_the_visitor_that_came_first_at_that_port_leaves() -> None:
    pages = Pages()
    for name, port in (("s1", Port.STREAM), ("e1", Port.EVENTS), ("s2", Port.STREAM)):
        pages.come(name, port=port)
    assert [pages.visitors.give_way(Port.STREAM) for _ in range(3)] == [True, True, False]
    assert (pages.ended, pages.visitors.at(Port.EVENTS)) == (["s1", "s2"], 1)
    with pytest.raises(Overloaded):
        pages.come("s3", crowded=True)
    assert pages.refused() == {"gave_way": 2, "places": 1}
    assert set(pages.visitors.refused) == set(REASONS)


def test_what_all_of_them_name_is_bounded_and_what_they_let_go_of_is_not_counted() -> None:
    pages = Pages(VisitorLimits(levels_max=10))
    first, second = pages.come("1"), pages.come("2")
    assert pages.visitors.claim(first, 6)
    assert not pages.visitors.claim(second, 5)
    assert pages.visitors.claim(second, 4)
    assert not pages.visitors.claim(first, 1)
    pages.visitors.give_back(second, 3)
    assert pages.visitors.claim(first, 3)
    pages.visitors.leave(first)
    pages.visitors.give_back(first, 9)
    assert not pages.visitors.claim(first, 1), "it is gone"
    assert pages.visitors.claim(second, 9)


def test_what_they_begin_to_watch_comes_at_a_rate() -> None:
    pages = Pages(VisitorLimits(levels_per_minute=600, skus_max=5))
    visit = pages.come("1")
    assert pages.visitors.claim(visit, 60)
    pages.visitors.give_back(visit, 60)
    assert not pages.visitors.claim(visit, 1)
    pages.now = 1.0
    assert pages.visitors.claim(visit, 10)
    assert not pages.visitors.claim(visit, 1)
    few = Pages(VisitorLimits(levels_per_minute=1, skus_max=5))
    assert few.visitors.claim(few.come("1"), 50), "a visitor may always name as much as it may"


@pytest.mark.parametrize(
    ("origins", "origin", "site", "visits"),
    [
        (["https://shop.example"], "https://shop.example", None, True),
        (["https://shop.example"], "https://shop.example", "cross-site", True),
        (["https://shop.example"], "https://evil.example", "cross-site", False),
        (["https://shop.example"], "null", None, False),
        (["https://shop.example"], None, None, False),
        (["https://shop.example"], None, "cross-site", False),
        (["https://shop.example"], None, "same-origin", True),
        (["*"], "https://any.example", None, True),
        (["*"], None, None, False),
    ],
)
def test_only_a_page_of_an_allowed_origin_visits(
    origins: list[str], origin: str | None, site: str | None, visits: bool
) -> None:
    assert Visitors(ANY, Limits(), ["web"], origins).is_page(origin, site) is visits
    assert not Visitors(None, Limits(), ["web"], origins).is_page(origin, site)


def test_a_visitor_that_shows_a_key_gives_its_place_back_and_so_does_one_that_leaves() -> None:
    pages = Pages()
    door = Door(Limits(unauthenticated_max=1), 0.0, visitors=pages.visitors)
    signed_in, gone = Caller(), Caller()
    for caller in (signed_in, gone):
        door.await_key(caller, lambda: None)
        door.visits(caller, pages.come("page"))
    assert (door.unauthenticated, pages.visitors.at(Port.STREAM)) == (0, 2)
    door.known(signed_in, "ann")
    for _ in range(2):
        door.leave(gone)
    assert pages.visitors.at(Port.STREAM) == 0
    assert signed_in.owner == "ann"


def test_a_visitor_may_never_do_more_than_others() -> None:
    few = Limits(messages_per_minute=5, messages_burst=3, skus_max=7, subscriptions_max=2, levels_per_connection_max=6)
    assert VisitorLimits().within(few) == few
    usual = VisitorLimits().within(Limits())
    assert (usual.messages_per_minute, usual.messages_burst) == (90, 90)
    assert (usual.subscriptions_max, usual.skus_max, usual.levels_per_connection_max) == (32, 1_000, 2_000)


def test_addresses_without_end_cost_no_memory_without_end() -> None:
    rates = Rates(1)
    assert rates.take("first", 0)
    assert not rates.take("first", 0)
    for number in range(NAMES_MAX):
        rates.take(str(number), 0)
    assert len(rates._rates) == NAMES_MAX
    assert rates.take("first", 0), "forgotten"


def test_every_refusal_says_when_to_come_back() -> None:
    pages = Pages(VisitorLimits(visitors_max=1, per_address_max=1, per_minute=1, per_address_per_minute=1))
    pages.come("1")
    for address, crowded in (("a", False), ("b", False), ("b", True)):
        with pytest.raises(Later) as refused:
            pages.come("2", address=address, crowded=crowded)
        assert 3 <= refused.value.retry_after_s <= 10
