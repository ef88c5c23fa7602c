"""What the ledger should hold and answer: plain dictionaries, one request after the other, nothing remembered twice.

Written from docs and wire/openapi.yaml, not from the ledger's code; it shares nothing with it.
"""

import hashlib
import json
import uuid
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Protocol

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
        return operation_of(self.owner, self.key)


def operation_of(owner: str, key: str) -> str:
    return str(uuid.UUID(bytes=hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:16]))


class Asked(Protocol):
    """A request of any kind. ``asked``: equal for those that are the same."""

    @property
    def owner(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def asked(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """``numbers``: what a problem has beside title and detail. ``events``: without shard, seq and committed_at.

    ``reservation``: without its times.
    """

    status: int
    type: str = ""
    numbers: Body = field(default_factory=dict)
    events: tuple[Body, ...] = ()
    replayed: bool = False
    reservation: Body | None = None

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
        on_hand, reserved = (events[-1]["on_hand"], events[-1]["reserved"]) if events else (0, 0)
        numbers = {"version": len(events), "on_hand": on_hand, "reserved": reserved, "available": on_hand - reserved}
        return {"sku": key[1], "location": key[0], **numbers}

    def take(self, request: Request) -> Answer:
        """Decide, apply and remember."""
        for place in dict.fromkeys(line["location"] for line in request.lines):
            if place not in self.shards:
                return Answer(404, "not-found", {"field": "location", "value": place})
        known = self.known(request)
        if known is not None:
            return known
        answer = self._decide(request)
        self.keep(request, answer)
        return answer

    def known(self, request: Asked) -> Answer | None:
        """What a key that was used before is answered."""
        known = self.answers.get((request.owner, request.key))
        if known is None:
            return None
        asked, answer = known
        if asked == request.asked:
            return replace(answer, replayed=True)
        return Answer(422, "idempotency-mismatch", {"key": request.key})

    def keep(self, request: Asked, answer: Answer) -> None:
        if answer.stored:
            self.answers[request.owner, request.key] = request.asked, answer
        self.append(answer.events)

    def append(self, events: tuple[Body, ...]) -> None:
        for event in events:
            self.history[event["location"], event["sku"]].append(event)

    def event(self, key: Key, kind: str, on_hand_delta: int, reserved_delta: int, **names: Any) -> Body:
        """The next one of the level. ``names``: operation, actor, reason and reference."""
        level = self.level(key)
        on_hand, reserved = level["on_hand"] + on_hand_delta, level["reserved"] + reserved_delta
        return {
            "sku": key[1],
            "location": key[0],
            "version": level["version"] + 1,
            "kind": kind,
            "on_hand_delta": on_hand_delta,
            "reserved_delta": reserved_delta,
            "on_hand": on_hand,
            "reserved": reserved,
            "available": on_hand - reserved,
            **names,
            "occurred_at": None,
            "view_version": self._view_version(key, on_hand - reserved),
        }

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
        on_hand = level["on_hand"] + delta
        if request.counts and on_hand < level["reserved"]:
            numbers = {"sku": key[1], "location": key[0], "on_hand": on_hand, "reserved": level["reserved"]}
            return Answer(409, "below-reserved", numbers)
        if delta < 0 and on_hand < level["reserved"]:
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
        kinds = {"count" if request.counts else line["kind"] for line in lines}
        return self.event(
            key,
            kinds.pop() if len(kinds) == 1 else "mixed",
            self._delta(key, lines),
            0,
            operation=request.operation,
            actor=request.owner,
            reason=_common([line.get("reason") for line in lines]),
            reference=_common([line.get("reference") for line in lines]),
        )

    def _view_version(self, key: Key, available: int) -> int:
        """How often the public step has changed; to come into being is a change."""
        numbers: list[int] = [*(event["available"] for event in self.history[key]), available]
        steps = [sum(number >= step for step in (1, 5, 10)) for number in numbers]
        return 1 + sum(before != after for before, after in pairwise(steps))


def _common(values: list[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else None
