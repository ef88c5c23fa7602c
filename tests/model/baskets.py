"""What the ledger should do with reservations: plain dictionaries, one request after the other.

Written from docs and wire/openapi.yaml, not from the ledger's code; it shares nothing with it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.model.shelf import Answer, Body, Key, Shelf, operation_of

STATES = ("pending", "committed", "fulfilled", "cancelled", "expired")
IN_ORDER = ("pending", "committed", "fulfilled", "expired", "cancelled")
"""A reservation is in the first of these that units of it are in."""
SWEEPER = "stockwire"


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """``asked``: the last part of the path; of a new one ``reservations``. ``hold``: the id that the path names."""

    owner: str
    key: str
    asked_for: str
    body: Body
    hold: str = ""

    @property
    def asked(self) -> str:
        return json.dumps([self.asked_for, self.hold, self.body], sort_keys=True)

    @property
    def operation(self) -> str:
        return operation_of(self.owner, self.key)

    @property
    def named(self) -> list[Key]:
        """Levels that the body names, as they come."""
        lines = self.body.get("lines") or ()
        return [(place, line["sku"]) for line in lines for place in line.get("locations") or [line["location"]]]


@dataclass(slots=True)
class Basket:
    id: str
    owner: str
    customer: str | None
    reference: str | None
    version: int = 1
    lines: dict[Key, dict[str, int]] = field(default_factory=dict)

    @property
    def state(self) -> str:
        return next((state for state in IN_ORDER if any(line[state] for line in self.lines.values())), "cancelled")

    def document(self) -> Body:
        """Without its times."""
        lines = [
            {"sku": sku, "location": place, "quantity": sum(line.values()), **line}
            for (place, sku), line in self.lines.items()
        ]
        names = ("id", "state", "owner", "customer", "reference", "version")
        return {**{name: getattr(self, name) for name in names}, "lines": lines}


class Refused(Exception):
    def __init__(self, type_: str, **numbers: Any) -> None:
        super().__init__(type_)
        self.answer = Answer(404 if type_ == "not-found" else 409, type_, numbers)


Change = tuple[str, int, int]
"""Kind, and what becomes of on_hand and reserved."""


class Baskets:
    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.held: dict[str, Basket] = {}

    def take(self, request: HoldRequest) -> Answer:
        """Decide, apply and remember."""
        try:
            self._look_up(request)
        except Refused as refused:
            return refused.answer
        known = self.shelf.known(request)
        if known is not None:
            return known
        try:
            answer = self._decide(request)
        except Refused as refused:
            answer = refused.answer
        self.shelf.keep(request, answer)
        return answer

    def expire(self, basket: Basket) -> None:
        """Its time is over: what is pending is let go of."""
        changes: dict[Key, Change] = {}
        for key, line in basket.lines.items():
            if line["pending"]:
                changes[key] = ("release", 0, -line["pending"])
                _move(line, {"pending": line["pending"]}, "expired")
        basket.version += 1
        self.shelf.append(self._events(basket, "", SWEEPER, changes))

    def _look_up(self, request: HoldRequest) -> None:
        if request.hold and request.hold not in self.held:
            raise Refused("not-found", field="reservation", value=request.hold)
        for place, _ in request.named:
            if place not in self.shelf.shards:
                raise Refused("not-found", field="location", value=place)

    def _decide(self, request: HoldRequest) -> Answer:
        for _, sku in request.named:
            if sku not in self.shelf.skus:
                raise Refused("not-found", field="sku", value=sku)
        if not request.hold:
            return self._reserve(request)
        before = self.held[request.hold]
        basket = Basket(before.id, before.owner, before.customer, before.reference, before.version,
                        {key: dict(line) for key, line in before.lines.items()})  # fmt: skip
        changes = _CHANGES[request.asked_for](self, basket, request)
        if changes:
            basket.version += 1
        self.held[basket.id] = basket
        return Answer(200, events=self._events(basket, request.operation, request.owner, changes),
                      reservation=basket.document())  # fmt: skip

    def _reserve(self, request: HoldRequest) -> Answer:
        changes: dict[Key, Change] = {}
        for line in request.body["lines"]:
            places = line.get("locations") or [line["location"]]
            for place, units in self._places(line, places).items():
                changes[place, line["sku"]] = ("hold", 0, units)
        basket = Basket(request.operation, request.owner, request.body.get("customer"), request.body.get("reference"))
        basket.lines = {key: {**dict.fromkeys(STATES, 0), "pending": units} for key, (_, _, units) in changes.items()}
        self.held[basket.id] = basket
        return Answer(201, events=self._events(basket, request.operation, request.owner, changes),
                      reservation=basket.document())  # fmt: skip

    def _places(self, line: Body, places: list[str]) -> dict[str, int]:
        """Where the units are taken: the first place that has all, or from one after the other."""
        there = {place: int(self.shelf.level((place, line["sku"]))["available"]) for place in places}
        whole = next((place for place in places if there[place] >= line["quantity"]), None)
        if whole is not None:
            return {whole: line["quantity"]}
        split = line.get("split", False)
        most = sum(there.values()) if split else max(there.values())
        if most < line["quantity"]:
            several = {"locations": there} if len(there) > 1 else {}
            numbers = {"available": most, "requested": line["quantity"], **several}
            raise Refused("insufficient-stock", sku=line["sku"], location=places[0], **numbers)
        taken: dict[str, int] = {}
        for place in places:
            units = min(there[place], line["quantity"] - sum(taken.values()))
            if units:
                taken[place] = units
        return taken

    def _commit(self, basket: Basket, request: HoldRequest) -> dict[Key, Change]:
        fulfil = request.body.get("fulfil", False)
        if basket.state == "fulfilled" and "lines" not in request.body:
            return {}
        sources = ("pending", "expired", "committed") if fulfil else ("pending", "expired")
        moved = self._moved(basket, request, "commit", sources, "fulfilled" if fulfil else "committed")
        changes: dict[Key, Change] = {}
        for key, units in moved.items():
            again, all_units = units.get("expired", 0), sum(units.values())
            available = self.shelf.level(key)["available"]
            if again > available:
                numbers = {"sku": key[1], "location": key[0], "available": available, "requested": again}
                raise Refused("reservation-expired", reservation=basket.id, **numbers)
            changes[key] = ("fulfil", -all_units, again - all_units) if fulfil else ("commit", 0, again)
        return changes

    def _fulfil(self, basket: Basket, request: HoldRequest) -> dict[Key, Change]:
        if "lines" not in request.body and basket.state == "pending":
            raise _state(basket, "fulfil")
        moved = self._moved(basket, request, "fulfil", ("committed",), "fulfilled")
        return {key: ("fulfil", -sum(units.values()), -sum(units.values())) for key, units in moved.items()}

    def _cancel(self, basket: Basket, request: HoldRequest) -> dict[Key, Change]:
        """What had expired reserves nothing: it is cancelled without an event."""
        moved = self._moved(basket, request, "cancel", ("pending", "committed", "expired"), "cancelled")
        let_go = {key: units.get("pending", 0) + units.get("committed", 0) for key, units in moved.items()}
        if moved and not any(let_go.values()):
            basket.version += 1
        return {key: ("release", 0, -units) for key, units in let_go.items() if units}

    def _extend(self, basket: Basket, _request: HoldRequest) -> dict[Key, Change]:
        _must_be_pending(basket, "extend")
        return {key: ("hold", 0, 0) for key, line in basket.lines.items() if line["pending"]}

    def _change(self, basket: Basket, request: HoldRequest) -> dict[Key, Change]:
        _must_be_pending(basket, "change")
        changes: dict[Key, Change] = {}
        for line in request.body["lines"]:
            key = line["location"], line["sku"]
            more = line["quantity"] - basket.lines.get(key, {"pending": 0})["pending"]
            if more:
                changes[key] = ("hold" if more > 0 else "release", 0, more)
                basket.lines.setdefault(key, dict.fromkeys(STATES, 0))["pending"] += more
        for key in self._sorted(changes):
            available = self.shelf.level(key)["available"]
            if changes[key][2] > available:
                numbers = {"available": available, "requested": changes[key][2]}
                raise Refused("insufficient-stock", sku=key[1], location=key[0], **numbers)
        if "ttl_s" in request.body:
            kept = [key for key, line in basket.lines.items() if line["pending"] and key not in changes]
            changes |= dict.fromkeys(kept, ("hold", 0, 0))
        return changes

    def _moved(
        self, basket: Basket, request: HoldRequest, asked: str, sources: tuple[str, ...], target: str
    ) -> dict[Key, dict[str, int]]:
        """Units by the state that they were in; they are moved to ``target``."""
        parts = request.body.get("lines")
        named: list[tuple[Key, int | None]] = [(key, None) for key in basket.lines]
        if parts is not None:
            named = [((line["location"], line["sku"]), line.get("quantity")) for line in parts]
        if any(key not in basket.lines for key, _ in named):
            raise _state(basket, asked)
        moved: dict[Key, dict[str, int]] = {}
        for key, wanted in named:
            line = basket.lines[key]
            there = sum(line[state] for state in sources)
            if wanted is not None and wanted > there:
                raise _state(basket, asked)
            if not there and parts is not None and not line[target]:
                raise _state(basket, asked)
            left = there if wanted is None else wanted
            found: dict[str, int] = {}
            for state in sources:
                if units := min(left, line[state]):
                    found[state] = units
                    left -= units
            if found:
                moved[key] = found
        if not moved and not any(line[target] for line in basket.lines.values()):
            raise _state(basket, asked)
        for key, units_by_state in moved.items():
            _move(basket.lines[key], units_by_state, target)
        return moved

    def _events(self, basket: Basket, operation: str, actor: str, changes: dict[Key, Change]) -> tuple[Body, ...]:
        names: Body = {"operation": operation, "actor": actor, "reason": None, "reference": basket.reference}
        return tuple(self.shelf.event(key, *changes[key], **names) for key in self._sorted(changes))

    def _sorted(self, keys: dict[Key, Change]) -> list[Key]:
        return sorted(keys, key=lambda key: (self.shelf.shards[key[0]], key))


_CHANGES = {
    "commit": Baskets._commit,
    "fulfil": Baskets._fulfil,
    "cancel": Baskets._cancel,
    "extend": Baskets._extend,
    "lines": Baskets._change,
}


def _move(line: dict[str, int], units: dict[str, int], target: str) -> None:
    for state, moved in units.items():
        line[state] -= moved
        line[target] += moved


def _must_be_pending(basket: Basket, asked: str) -> None:
    if basket.state == "expired":
        raise Refused("reservation-expired", reservation=basket.id)
    if basket.state != "pending":
        raise _state(basket, asked)


def _state(basket: Basket, asked: str) -> Refused:
    """The state before the request: what was moved of the copy is thrown away with it."""
    return Refused("reservation-state", reservation=basket.id, state=basket.state, asked=asked)
