"""Hypothesis walks through the HTTP API of two replicas; after every step they must hold what the model holds."""

import itertools
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.model.baskets import SWEEPER, Baskets, HoldRequest
from tests.model.shelf import UNITS_MAX, Answer, Body, Request, Shelf

OWNERS = ("till", "shop")
SKUS, PLACES = 3, 3
PAGE = 2
FILLED = 20
"""Units of each level at first, so that most baskets are held."""
SIGNS = {"receipt": 1, "return": 1, "sale": -1, "write_off": -1, "adjustment": 0}
OF_THE_DATABASE = ("shard", "seq", "committed_at")

few = st.integers(1, 12)
units = st.one_of(few, few, few, st.sampled_from((1_000, 2**30, UNITS_MAX)))
texts = st.sampled_from((None, None, "first", "second"))
versions = st.sampled_from((None, None, "right", "right", "ahead", "behind", "first"))
known = st.integers(0, SKUS - 1)
"""One place or sku more than there are: unknown."""
any_sku = st.sampled_from((*range(SKUS), *range(SKUS), *range(SKUS), *range(SKUS), *range(SKUS), SKUS))
any_place = st.sampled_from((*range(PLACES), *range(PLACES), *range(PLACES), *range(PLACES), *range(PLACES), PLACES))
owners, replicas = st.sampled_from(OWNERS), st.integers(0, 1)
signs, kinds = st.sampled_from((1, -1)), st.sampled_from((*SIGNS, "receipt", "receipt", "receipt"))
"""More comes than goes, or most sales would be refused."""
line = st.tuples(any_place, any_sku, kinds, signs, units, versions, texts, texts)


class ShopMachine(RuleBasedStateMachine):
    """``clients``: for each owner one of each replica. Names are new for each example, so one database serves all.

    ``end_time_of``: one, which makes a reservation, by its id, one whose time is over.
    """

    clients: ClassVar[dict[str, list[httpx.Client]]] = {}
    end_time_of: ClassVar[list[Callable[[str], None]]] = []
    steps: ClassVar[int] = 0
    answers: ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.prefix = secrets.token_hex(5)
        self.numbers = itertools.count()
        self.sent: list[Request | HoldRequest] = []
        self.committed: list[Request | HoldRequest] = []
        self.bodies: dict[tuple[str, str], Body] = {}
        self.read: dict[tuple[str, str], int] = {}
        self.turn = 0

    @initialize()
    def open(self) -> None:
        put = self.clients[OWNERS[0]][0].put
        skus = {self.sku(number) for number in range(SKUS)}
        for sku in skus:
            put(f"/v1/items/{sku}", json={"name": sku}).raise_for_status()
        places = [self.place(number) for number in range(PLACES)]
        answers = [put(f"/v1/locations/{place}", json={"name": place}).raise_for_status() for place in places]
        self.shelf = Shelf({answer.json()["location"]: answer.json()["shard"] for answer in answers}, skus)
        self.baskets = Baskets(self.shelf)
        for place in range(PLACES):
            lines = tuple(self.line(place, sku, "receipt", 1, FILLED, None, None, None) for sku in range(SKUS))
            self.send(0, Request(OWNERS[0], self.new_key(), lines))
        self.prepare()

    def prepare(self) -> None:
        """What there is before anybody asks."""

    @precondition(lambda self: self.sent)
    @rule(replica=replicas, which=st.integers(0, 100))
    def repeat(self, replica: int, which: int) -> None:
        """The same key and body, perhaps at the other replica: the stored answer and no second effect."""
        self.send(replica, self.sent[-1 - which % len(self.sent)])

    @precondition(lambda self: self.committed)
    @rule(replica=replicas, which=st.integers(0, 100))
    def repeat_what_was_committed(self, replica: int, which: int) -> None:
        self.send(replica, self.committed[-1 - which % len(self.committed)])

    @precondition(lambda self: self.sent)
    @rule(replica=replicas, which=st.integers(0, 100), of=line)
    def misuse_a_key(self, replica: int, which: int, of: Any) -> None:
        old = self.sent[-1 - which % len(self.sent)]
        self.send(replica, Request(old.owner, old.key, (self.line(*of),)))

    @precondition(lambda self: self.sent)
    @rule(replica=replicas, which=st.integers(0, 100))
    def use_the_key_of_another_owner(self, replica: int, which: int) -> None:
        old = self.sent[-1 - which % len(self.sent)]
        other = next(owner for owner in OWNERS if owner != old.owner)
        self.send(replica, replace(old, owner=other))

    @rule(replica=replicas, place=known)
    def page_through_a_location(self, replica: int, place: int) -> None:
        client, name = self.clients[OWNERS[1]][replica], self.place(place)
        levels: list[Body] = []
        after: Body = {}
        while True:
            page = client.get("/v1/levels", params={"location": name, "limit": PAGE, **after}).raise_for_status().json()
            assert len(page["levels"]) <= PAGE
            levels += page["levels"]
            if page["next"] is None:
                break
            after = {"after": page["next"]}
        moved = sorted(sku for sku in self.shelf.skus if self.shelf.history[name, sku])
        assert [_numbers(level) for level in levels] == [self.shelf.level((name, sku)) for sku in moved]

    @rule(replica=replicas, place=known, sku=known)
    def page_through_a_history(self, replica: int, place: int, sku: int) -> None:
        key = self.place(place), self.sku(sku)
        events: list[Body] = []
        after: int | None = 0
        while after is not None:
            page = self.history_page(replica, key, after, PAGE)
            events += page["events"]
            after = page["next"]
        assert [_without(event) for event in events] == self.shelf.history[key]

    # what must hold after every step

    @invariant()
    def every_level_is_what_the_model_holds(self) -> None:
        """Of the replica that was not asked, as often as of the one that was."""
        self.turn += 1
        keys = sorted(self.shelf.history)
        client = self.clients[OWNERS[0]][self.turn % 2]
        answer = client.post("/v1/levels/query", json={"keys": keys}).raise_for_status()
        assert [_numbers(level) for level in answer.json()["levels"]] == [self.shelf.level(key) for key in keys]
        for key in keys:
            new = self.shelf.history[key][self.read.get(key, 0) :]
            if new:
                page = self.history_page(self.turn % 2, key, self.read.get(key, 0), 1_000)
                assert [_without(event) for event in page["events"]] == new
                self.read[key] = len(self.shelf.history[key])

    # the means

    def send(self, replica: int, request: Request | HoldRequest) -> None:
        expected = self.baskets.take(request) if isinstance(request, HoldRequest) else self.shelf.take(request)
        answer = _send(self.clients[request.owner][replica], request)
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and isinstance(request, HoldRequest):
            # the other ledger gave it lines of more levels than this one remembers: it says so, once
            answer = _send(self.clients[request.owner][replica], request)
        self.check(request, expected, answer)
        self.sent.append(request)
        if answer.is_success:
            self.committed.append(request)
        asked = request.asked_for if isinstance(request, HoldRequest) else "count" if request.counts else "move"
        kind = f"{asked} {answer.status_code} {expected.type or 'committed'}{' again' if expected.replayed else ''}"
        type(self).answers[kind] = type(self).answers.get(kind, 0) + 1

    def check(self, request: Request | HoldRequest, expected: Answer, answer: httpx.Response) -> None:
        said = f"{request}\nexpected {expected}\nfound {answer.status_code} {answer.text}"
        body: Body = answer.json()
        assert answer.status_code == expected.status, said
        assert body.get("type", "") == expected.type, said
        assert (answer.headers.get("idempotency-replayed") == "true") == expected.replayed, said
        assert {name: body[name] for name in expected.numbers} == expected.numbers, said
        if expected.events:
            assert tuple(_without(event) for event in body["events"]) == expected.events, said
            assert body["operation"] == request.operation, said
            assert [_numbers(level) for level in body["levels"]] == [_numbers(event) for event in body["events"]], said
        if expected.reservation is not None:
            assert untimed(body["reservation"]) == expected.reservation, said
            if not expected.replayed:
                client = self.clients[request.owner][self.turn % 2]
                assert self.read_basket(client, expected.reservation["id"]) == body["reservation"], said
        if expected.stored:
            first = self.bodies.setdefault((request.owner, request.key), body)
            assert body == first, f"{said}\nfirst {first}"

    def read_basket(self, client: httpx.Client, known: str) -> Body:
        document: Body = client.get(f"/v1/reservations/{known}").raise_for_status().json()
        return document

    def history_page(self, replica: int, key: tuple[str, str], after: int, limit: int) -> Any:
        client = self.clients[OWNERS[1]][replica]
        params = {"after": after, "limit": limit}
        return client.get(f"/v1/levels/{key[0]}/{key[1]}/events", params=params).raise_for_status().json()

    def sku(self, number: int) -> str:
        return f"s{self.prefix}-{number}"

    def place(self, number: int) -> str:
        return f"p{self.prefix}-{number}"

    def new_key(self) -> str:
        return f"{self.prefix}-{next(self.numbers)}"

    def version(self, place: str, sku: str, how: str | None) -> int | None:
        if how is None:
            return None
        right = len(self.shelf.history.get((place, sku), ()))
        return {"right": right, "ahead": right + 1, "behind": max(0, right - 1), "first": 0}[how]

    def line(
        self, place: int, sku: int, kind: str, sign: int, many: int, how: str | None, reason: Any, reference: Any
    ) -> Body:
        at, of = self.place(place), self.sku(sku)
        return {
            "location": at,
            "sku": of,
            "kind": kind,
            "quantity": (SIGNS[kind] or sign) * many,
            "expected_version": self.version(at, of, how),
            "reason": reason,
            "reference": reference,
        }


def _send(client: httpx.Client, request: Request | HoldRequest) -> httpx.Response:
    headers = {"Idempotency-Key": request.key}
    if isinstance(request, HoldRequest):
        path = f"/v1/reservations/{request.hold}/{request.asked_for}" if request.hold else "/v1/reservations"
        return client.post(path, json=request.body, headers=headers)
    if not request.counts:
        body = dict(request.lines[0]) if len(request.lines) == 1 else {"lines": list(request.lines)}
        return client.post("/v1/movements", json=body, headers=headers)
    line = dict(request.lines[0])
    path = f"/v1/levels/{line.pop('location')}/{line.pop('sku')}"
    if request.if_match:
        headers["If-Match"] = f'"{line.pop("expected_version")}"'
    return client.put(path, json=line, headers=headers)


def _numbers(level: Body) -> Body:
    return {name: level[name] for name in ("sku", "location", "version", "on_hand", "reserved", "available")}


def _without(event: Body) -> Body:
    """A ledger that lets go of what is overdue makes the operation's id of what only it knows."""
    operation = "" if event["actor"] == SWEEPER else event["operation"]
    return {name: value for name, value in event.items() if name not in OF_THE_DATABASE} | {"operation": operation}


def untimed(reservation: Body) -> Body:
    assert (reservation["expires_at"] is None) == (reservation["state"] != "pending"), reservation
    return {name: value for name, value in reservation.items() if name not in ("created_at", "expires_at")}
