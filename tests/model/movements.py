"""What clients ask for with movements and counts."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.machine import (
    ShopMachine,
    any_place,
    any_sku,
    few,
    kinds,
    known,
    line,
    owners,
    replicas,
    signs,
    texts,
    versions,
)
from tests.model.shelf import UNITS_MAX, Request

one_level = st.lists(st.tuples(kinds, signs, few, texts), min_size=2, max_size=4)


class LedgerMachine(ShopMachine):
    @rule(owner=owners, replica=replicas, of=line)
    def move(self, owner: str, replica: int, of: Any) -> None:
        self.send(replica, Request(owner, self.new_key(), (self.line(*of),)))

    @rule(owner=owners, replica=replicas, of=st.lists(line, min_size=2, max_size=5))
    def move_many(self, owner: str, replica: int, of: list[Any]) -> None:
        lines = tuple(self.line(*one) for one in of)
        expected: dict[tuple[str, str], set[int]] = {}
        for one in lines:
            if one["expected_version"] is not None:
                expected.setdefault((one["location"], one["sku"]), set()).add(one["expected_version"])
        if all(len(wanted) == 1 for wanted in expected.values()):
            self.send(replica, Request(owner, self.new_key(), lines))

    @rule(owner=owners, replica=replicas, place=known, sku=known, of=one_level)
    def move_one_level_by_several_lines(self, owner: str, replica: int, place: int, sku: int, of: list[Any]) -> None:
        lines = tuple(self.line(place, sku, kind, sign, many, None, text, None) for kind, sign, many, text in of)
        self.send(replica, Request(owner, self.new_key(), lines))

    @rule(owner=owners, replica=replicas, place=known, sku=known, again=st.booleans(), room=few)
    def fill_a_level(self, owner: str, replica: int, place: int, sku: int, again: bool, room: int) -> None:
        """To the brim. The same receipt again fits no more and was done; after a sale elsewhere a small one fits."""
        on_hand = self.shelf.level((self.place(place), self.sku(sku)))["on_hand"]
        if on_hand == UNITS_MAX:
            return
        line = self.line(place, sku, "receipt", 1, UNITS_MAX - on_hand, None, None, None)
        full = Request(owner, self.new_key(), (line,))
        self.send(replica, full)
        if again:
            self.send(replica, full)
        sale, receipt = (self.line(place, sku, kind, 1, room, None, None, None) for kind in ("sale", "receipt"))
        self.send(1 - replica, Request(owner, self.new_key(), (sale,)))
        self.send(replica, Request(owner, self.new_key(), (receipt,)))

    @rule(
        owner=owners,
        replica=replicas,
        place=any_place,
        sku=any_sku,
        found=st.sampled_from((0, 1, 5, 40, UNITS_MAX)),
        version=versions,
        if_match=st.booleans(),
    )
    def count(
        self, owner: str, replica: int, place: int, sku: int, found: int, version: str | None, if_match: bool
    ) -> None:
        expected = self.version(self.place(place), self.sku(sku), version)
        one = {"location": self.place(place), "sku": self.sku(sku), "on_hand": found, "expected_version": expected}
        self.send(replica, Request(owner, self.new_key(), (one,), if_match and expected is not None))
