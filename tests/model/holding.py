"""What clients ask for with reservations, and what time does to these."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.harness.waiting import PATIENCE_S, POLL_S
from tests.model.baskets import Basket, HoldRequest
from tests.model.machine import OWNERS, PLACES, SKUS, ShopMachine, any_sku, known, owners, replicas, texts, untimed
from tests.model.shelf import Body, Request

mostly_known = st.one_of(known, known, known, known, known, known, any_sku)
wanted = st.lists(
    st.tuples(
        st.lists(mostly_known, min_size=1, max_size=PLACES, unique=True),
        mostly_known,
        st.integers(1, 15),
        st.booleans(),
    ),
    min_size=1,
    max_size=SKUS,
    unique_by=lambda one: one[1],
)
changes = st.sampled_from(("commit", "fulfil", "cancel"))
parts = st.one_of(
    st.none(), st.lists(st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(1, 5))), min_size=1, max_size=3)
)
quantities = st.lists(st.tuples(mostly_known, known, st.integers(0, 9)), min_size=1, max_size=3)
ttls = st.integers(600, 900)
"""No hold ends by itself within a run: time passes where a rule says so."""


class BasketMachine(ShopMachine):
    def prepare(self) -> None:
        """Baskets, of one level and of several, paid for and not."""
        for units, places in ((3, [0]), (4, [1, 2]), (15, [0, 1]), (15, [0, 1])):
            lines = [self.wanted(places, 0, units, split=True), self.wanted([2], 1, 2, split=False)]
            self.send(0, HoldRequest(OWNERS[0], self.new_key(), "reservations", {"lines": lines, "ttl_s": 600}))
        self.send(1, HoldRequest(OWNERS[0], self.new_key(), "commit", {}, self.basket(1).id))

    @rule(owner=owners, replica=replicas, place=known, sku=known, units=st.sampled_from((-9, -2, 3, 5)))
    def move(self, owner: str, replica: int, place: int, sku: int, units: int) -> None:
        line = self.line(place, sku, "sale" if units < 0 else "receipt", 1, abs(units), None, None, None)
        self.send(replica, Request(owner, self.new_key(), (line,)))

    @rule(owner=owners, replica=replicas, place=known, sku=known, found=st.integers(0, 30))
    def count(self, owner: str, replica: int, place: int, sku: int, found: int) -> None:
        one = {"location": self.place(place), "sku": self.sku(sku), "on_hand": found, "expected_version": None}
        self.send(replica, Request(owner, self.new_key(), (one,)))

    @rule(owner=owners, replica=replicas, of=wanted, ttl_s=ttls, reference=texts, customer=texts)
    def reserve(self, owner: str, replica: int, of: list[Any], ttl_s: int, reference: Any, customer: Any) -> None:
        lines = [self.wanted(*one) for one in of]
        body = {"lines": lines, "ttl_s": ttl_s}
        body |= {name: text for name, text in (("reference", reference), ("customer", customer)) if text}
        self.send(replica, HoldRequest(owner, self.new_key(), "reservations", body))

    @precondition(lambda self: self.baskets.held)
    @rule(owner=owners, replica=replicas, which=st.integers(0, 100), asked=changes, of=parts, fulfil=st.booleans())
    def ask(self, owner: str, replica: int, which: int, asked: str, of: list[Any] | None, fulfil: bool) -> None:
        """For the whole of it or some of it, also more than there is."""
        basket = self.basket(which)
        body: Body = {"fulfil": fulfil} if asked == "commit" and fulfil else {}
        if of is not None:
            body["lines"] = self.parts(basket, of)
        self.send(replica, HoldRequest(owner, self.new_key(), asked, body, basket.id))

    @precondition(lambda self: self.baskets.held)
    @rule(owner=owners, replica=replicas, which=st.integers(0, 100), ttl_s=ttls)
    def extend(self, owner: str, replica: int, which: int, ttl_s: int) -> None:
        basket = self.basket(which)
        self.send(replica, HoldRequest(owner, self.new_key(), "extend", {"ttl_s": ttl_s}, basket.id))

    @precondition(lambda self: self.baskets.held)
    @rule(owner=owners, replica=replicas, which=st.integers(0, 100), of=quantities, ttl_s=st.one_of(st.none(), ttls))
    def change(self, owner: str, replica: int, which: int, of: list[Any], ttl_s: int | None) -> None:
        basket = self.basket(which)
        lines = {(place, sku): {"location": self.place(place), "sku": self.sku(sku), "quantity": units}
                 for place, sku, units in of}  # fmt: skip
        body: Body = {"lines": list(lines.values()), **({} if ttl_s is None else {"ttl_s": ttl_s})}
        self.send(replica, HoldRequest(owner, self.new_key(), "lines", body, basket.id))

    @precondition(lambda self: self.baskets.held)
    @rule(
        owner=owners,
        replicas=st.lists(replicas, min_size=2, max_size=4),
        asked=st.lists(changes, min_size=4, max_size=4),
    )
    def ask_for_one_thing_after_the_other(self, owner: str, replicas: list[int], asked: list[str]) -> None:
        """Of the newest: paid for, sent and cancelled in any order."""
        for replica, one in zip(replicas, asked, strict=False):
            self.send(replica, HoldRequest(owner, self.new_key(), one, {}, self.basket(0).id))

    @rule(owner=owners, replica=replicas, asked=changes)
    def ask_of_none(self, owner: str, replica: int, asked: str) -> None:
        self.send(replica, HoldRequest(owner, self.new_key(), asked, {}, str(uuid.uuid4())))

    @precondition(lambda self: self.pending)
    @rule(owner=owners, replica=replicas, which=st.integers(0, 100), needed=st.booleans())
    def let_time_pass(self, owner: str, replica: int, which: int, needed: bool) -> None:
        """``needed``: a sale takes at once what only then is available, before anybody has swept it."""
        basket = self.pending[-1 - which % len(self.pending)]
        self.end_time_of[0](basket.id)
        self.baskets.expire(basket)
        if needed:
            place, sku = next(key for key, line in basket.lines.items() if line["expired"])
            available = self.shelf.level((place, sku))["available"]
            sold = {"location": place, "sku": sku, "kind": "sale", "quantity": -available}
            if available:
                self.send(replica, Request(owner, self.new_key(), (sold,)))
        self.await_end(replica, basket)

    @property
    def pending(self) -> list[Basket]:
        return [basket for basket in self.baskets.held.values() if basket.state == "pending"]

    def basket(self, which: int) -> Basket:
        held = list(self.baskets.held.values())
        return held[-1 - which % len(held)]

    def await_end(self, replica: int, basket: Basket) -> None:
        """Its time is over for all its lines: those that somebody needed are let go of by themselves, the others are
        swept, so that its version may have risen once for each shard.
        """
        client, ends_at = self.clients[OWNERS[0]][replica], time.monotonic() + PATIENCE_S
        while (found := self.read_basket(client, basket.id))["state"] == "pending":
            assert time.monotonic() < ends_at, f"nobody let go of {found}"
            time.sleep(POLL_S)
        shards = {self.shelf.shards[place] for place, _ in basket.lines}
        assert basket.version <= found["version"] < basket.version + len(shards), f"{found}\n{basket}"
        basket.version = found["version"]
        assert untimed(found) == basket.document(), f"{found}\n{basket}"

    def wanted(self, places: Sequence[int], sku: int, units: int, split: bool) -> Body:
        names = [self.place(place) for place in places]
        if len(names) == 1:
            return {"sku": self.sku(sku), "location": names[0], "quantity": units}
        return {"sku": self.sku(sku), "locations": names, "quantity": units, "split": split}

    def parts(self, basket: Basket, of: Sequence[tuple[int, int | None]]) -> list[Body]:
        keys = [*basket.lines, (self.place(0), self.sku(0))]
        chosen = {keys[which % len(keys)]: units for which, units in of}
        return [
            {"location": place, "sku": sku, **({} if units is None else {"quantity": units})}
            for (place, sku), units in chosen.items()
        ]
