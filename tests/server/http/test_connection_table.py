"""Whose place a new connection of a ledger gets, whose it never gets, and that places come back."""

from dataclasses import dataclass

from server.http.connection_table import ConnectionTable


@dataclass(eq=False)
class Caller:
    address: str = "192.0.2.1"
    of_hub: bool = False
    gone: bool = False

    def is_of_hub(self) -> bool:
        return self.of_hub

    def make_room(self) -> None:
        self.gone = True


def admitted(table: ConnectionTable, *callers: Caller) -> list[bool]:
    return [table.admit(caller) for caller in callers]


def test_the_one_that_has_waited_longest_makes_room() -> None:
    table, first, second, third = ConnectionTable(2), Caller(), Caller(), Caller()
    assert admitted(table, first, second, third) == [True] * 3
    assert [caller.gone for caller in (first, second, third)] == [True, False, False]
    assert table.open == 2
    assert table.turned_away["evicted"] == 1


def test_whoever_has_just_been_answered_has_waited_least() -> None:
    table, first, second = ConnectionTable(2), Caller(), Caller()
    admitted(table, first, second)
    table.begin(first)
    table.end(first)
    assert table.admit(Caller())
    assert [first.gone, second.gone] == [False, True]


def test_a_hub_that_waits_keeps_its_place() -> None:
    table, hub, buyer = ConnectionTable(2), Caller(of_hub=True), Caller()
    assert admitted(table, hub, buyer, Caller(), Caller()) == [True] * 4
    assert not hub.gone
    assert buyer.gone


def test_no_connection_with_a_request_under_way_makes_room() -> None:
    table, busy, hub = ConnectionTable(2), Caller(), Caller(of_hub=True)
    admitted(table, busy, hub)
    table.begin(busy)
    assert not table.admit(Caller())
    assert not busy.gone
    assert table.turned_away["connections"] == 1
    assert table.open == 2


def test_an_address_has_its_places_and_gets_them_back_once() -> None:
    table, first, second = ConnectionTable(10, per_address_max=2), Caller(), Caller()
    assert admitted(table, first, second, Caller()) == [True, True, False]
    assert table.turned_away["address"] == 1
    assert table.admit(Caller("192.0.2.2"))
    table.remove(first)
    table.remove(first)
    assert admitted(table, Caller(), Caller()) == [True, False]


def test_who_makes_room_gives_the_place_of_its_address_back() -> None:
    table = ConnectionTable(1, per_address_max=1)
    assert admitted(table, Caller("192.0.2.1"), Caller("192.0.2.2"), Caller("192.0.2.1")) == [True] * 3
