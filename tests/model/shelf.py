"""What the ledger should hold and answer: plain dictionaries, one request after the other, nothing remembered twice.

Written from docs and wire/openapi.yaml, not from the ledger's code; it shares nothing with it.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Body = dict[str, Any]
Key = tuple[str, str]
"""Location and sku."""

UNITS_MAX = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Request:
    """``lines`` as a movement has them; of a count the one line has ``on_hand`` instead of quantity and kind."""

    owner: str
    key: str
    lines: tuple[Body, ...]
    if_match: bool = False

    @property
    def counts(self) -> bool:
        return "on_hand" in self.lines[0]

    @property
    def asked(self) -> str:
        """Equal for requests that are the same: a field left out and one that is null are."""
        lines = [{name: value for name, value in line.items() if value is not None} for line in self.lines]
        return json.dumps([lines, self.counts, self.if_match], sort_keys=True)

    @property
    def operation(self) -> str:
        return str(uuid.UUID(bytes=hashlib.sha256(f"{self.owner}\0{self.key}".encode()).digest()[:16]))


@dataclass(frozen=True, slots=True)
class Answer:
    """``numbers``: what a problem has beside title and detail. ``events``: without shard, seq and committed_at."""

    status: int
    type: str = ""
    numbers: Body = field(default_factory=dict)
    events: tuple[Body, ...] = ()
    replayed: bool = False

    @property
    def stored(self) -> bool:
        return self.status in (200, 201, 409, 412)


class Shelf:
    """``history`` of each level is the whole truth: its last event is the level."""

    def __init__(self, shards: dict[str, int], skus: set[str]) -> None:
        self.shards = shards
        self.skus = skus
        self.history: dict[Key, list[Body]] = {(place, sku): [] for place in shards for sku in skus}
        self.answers: dict[tuple[str, str], tuple[str, Answer]] = {}

    def level(self, key: Key) -> Body:
        """The numbers of a level as clients read them."""
        events = self.history[key]
        on_hand = events[-1]["on_hand"] if events else 0
        numbers = {"version": len(events), "on_hand": on_hand, "reserved": 0, "available": on_hand}
        return {"sku": key[1], "location": key[0], **numbers}

    def take(self, request: Request) -> Answer:
        """Decide, apply and remember."""
        for place in dict.fromkeys(line["location"] for line in request.lines):
            if place not in self.shards:
                return Answer(404, "not-found", {"field": "location", "value": place})
        known = self.answers.get((request.owner, request.key))
        if known is not None:
            asked, answer = known
            if asked == request.asked:
                return Answer(answer.status, answer.type, answer.numbers, answer.events, replayed=True)
            return Answer(422, "idempotency-mismatch", {"key": request.key})
        answer = self._decide(request)
        if answer.stored:
            self.answers[request.owner, request.key] = request.asked, answer
        for event in answer.events:
            self.history[event["location"], event["sku"]].append(event)
        return answer

    def _decide(self, request: Request) -> Answer:
        """All lines or none; the first level that refuses, by shard and then as the lines came, is the reason."""
        events: list[Body] = []
        for key, lines in self._by_level(request).items():
            if key[1] not in self.skus:
                return Answer(404, "not-found", {"field": "sku", "value": key[1]})
            refusal = self._refusal(key, lines, request)
            if refusal is not None:
                return refusal
            events.append(self._event(key, lines, request))
        return Answer(200 if request.counts else 201, events=tuple(events))

    def _by_level(self, request: Request) -> dict[Key, list[Body]]:
        found: dict[Key, list[Body]] = {}
        for line in sorted(request.lines, key=lambda line: self.shards[line["location"]]):
            found.setdefault((line["location"], line["sku"]), []).append(line)
        return found

    def _refusal(self, key: Key, lines: list[Body], request: Request) -> Answer | None:
        level = self.level(key)
        for line in lines:
            expected = line.get("expected_version")
            if expected is not None and expected != level["version"]:
                conflict = {"expected_version": expected, "level": level}
                return Answer(412 if request.if_match else 409, "version-conflict", conflict)
        delta = self._delta(key, lines)
        if level["on_hand"] + delta < 0:
            numbers = {"sku": key[1], "location": key[0], "available": level["available"], "requested": -delta}
            return Answer(409, "insufficient-stock", numbers)
        if level["on_hand"] + delta > UNITS_MAX:
            return Answer(422, "invalid", {"field": "quantity"})
        return None

    def _delta(self, key: Key, lines: list[Body]) -> int:
        if "on_hand" in lines[0]:
            return int(lines[0]["on_hand"]) - int(self.level(key)["on_hand"])
        return sum(int(line["quantity"]) for line in lines)

    def _event(self, key: Key, lines: list[Body], request: Request) -> Body:
        level, delta = self.level(key), self._delta(key, lines)
        on_hand = level["on_hand"] + delta
        kinds = {"count" if request.counts else line["kind"] for line in lines}
        return {
            "sku": key[1],
            "location": key[0],
            "version": level["version"] + 1,
            "kind": kinds.pop() if len(kinds) == 1 else "mixed",
            "on_hand_delta": delta,
            "reserved_delta": 0,
            "on_hand": on_hand,
            "reserved": 0,
            "available": on_hand,
            "operation": request.operation,
            "actor": request.owner,
            "reason": _common([line.get("reason") for line in lines]),
            "reference": _common([line.get("reference") for line in lines]),
            "occurred_at": None,
            "view_version": self._view_version(key, on_hand),
        }

    def _view_version(self, key: Key, on_hand: int) -> int:
        """How often the public step has changed; to come into being is a change."""
        numbers: list[int] = [*(event["on_hand"] for event in self.history[key]), on_hand]
        steps = [sum(number >= step for step in (1, 5, 10)) for number in numbers]
        return 1 + sum(before != after for before, after in pairwise(steps))


def _common(values: list[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else None
