"""What an endpoint is sent of the events of a level. Pure.

``every``: each event that it wants, in order. ``latest``: of ``stock.changed`` the newest alone; what happens at one
moment (``stock.low``, ``stock.out``, ``stock.back``, ``hold.*``) is told each time in either mode.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from followers.channel_types import CHANNEL_TYPES
from followers.webhooks.message import Message, batch_of, message_of
from followers.webhooks.scopes import Sight, sight_of
from wire.availability import PublicSteps

CHANGED, LOW, OUT, BACK = "stock.changed", "stock.low", "stock.out", "stock.back"
HOLDS = {"hold": "hold.created", "release": "hold.released", "commit": "hold.committed", "fulfil": "hold.fulfilled"}
"""By the kind of their events."""
DISABLED, TEST = "webhook.disabled", "webhook.test"
TYPES = (CHANGED, LOW, OUT, BACK, *HOLDS.values(), *CHANNEL_TYPES, DISABLED, TEST)
_NOT_OF_LEVELS = {*CHANNEL_TYPES, DISABLED, TEST}
EVERY, LATEST = "every", "latest"
MODES = (EVERY, LATEST)
Event = dict[str, Any]
_MEMBER_BYTES = 160
"""Of a batch: a member's id, and its share of what is around them."""


@dataclass(frozen=True, slots=True)
class Interest:
    """What an endpoint wants, and what it may see. Endpoints with the same interest are planned once."""

    types: frozenset[str]
    locations: frozenset[str]
    skus: frozenset[str]
    scopes: frozenset[str]
    latest: bool

    def sight(self, location: str, sku: str) -> Sight | None:
        """None: the level is not wanted, or not seen."""
        if (self.locations and location not in self.locations) or (self.skus and sku not in self.skus):
            return None
        return sight_of(self.scopes, location)

    def needs_history(self, sight: Sight) -> bool:
        """Whether the events between the last one sent and the newest matter. If not, the newest says it all."""
        return not self.latest or sight is Sight.PUBLIC or bool(self.types - {CHANGED} - _NOT_OF_LEVELS)


@dataclass(frozen=True, slots=True)
class Moved:
    """Of one level in one page: the first and the last version that an endpoint wants."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Step:
    """One message, and the version that its level has reached when it has been taken."""

    message: Message
    reaches: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent at once: one message or a batch of them. ``reaches``: by location and sku."""

    message: Message
    reaches: dict[tuple[str, str], int]


def moved_by(interest: Interest, events: Iterable[Event], steps: PublicSteps) -> dict[tuple[str, str], Moved]:
    """By location and sku: the levels that the events leave this interest behind on."""
    first: dict[tuple[str, str], int] = {}
    last: dict[tuple[str, str], int] = {}
    every: dict[tuple[str, str], bool] = {}
    for event in events:
        level = event["location"], event["sku"]
        if level not in every:
            every[level] = CHANGED in interest.types and interest.sight(*level) is Sight.EXACT
        if every[level] or types_of(interest, event, steps):
            last[level] = event["version"]
            first.setdefault(level, event["version"])
    return {level: Moved(version, last[level]) for level, version in first.items()}


def types_of(interest: Interest, event: Event, steps: PublicSteps) -> list[str]:
    """Those that the event makes and the interest has, in the order in which they are sent."""
    sight = interest.sight(event["location"], event["sku"])
    if sight is None:
        return []
    after = event["available"]
    before = after - event["on_hand_delta"] + event["reserved_delta"]
    happened = [CHANGED] if sight is Sight.EXACT or not steps.alike(before, after) else []
    if edge := _edge(before, after, steps):
        happened.append(edge)
    if sight is Sight.EXACT and event["kind"] in HOLDS:
        happened.append(HOLDS[event["kind"]])
    return [one for one in happened if one in interest.types]


def plan(
    interest: Interest, events: Sequence[Event], epoch: str, steps: PublicSteps, *, newest: bool = True
) -> list[Step]:
    """Of one level, by version: what is sent. Events without a message are passed over.

    ``newest``: whether the last event is the newest one; if not, a newer one speaks for it. The newest is told even if
    the public saw no change in it: of another epoch each level is sent as it is now.
    """
    planned: list[Step] = []
    for event in events:
        sight = interest.sight(event["location"], event["sku"])
        for type_ in types_of(interest, event, steps):
            assert sight is not None, "types are of what is seen"
            if interest.latest and type_ == CHANGED:
                planned = [step for step in planned if step.message.type != CHANGED]
                if sight is Sight.EXACT and not newest:
                    continue
            planned.append(Step(message_of(type_, event, epoch, sight, steps), event["version"]))
    last = events[-1]
    sight = interest.sight(last["location"], last["sku"])
    if newest and sight and CHANGED in interest.types and all(step.message.type != CHANGED for step in planned):
        planned.append(Step(message_of(CHANGED, last, epoch, sight, steps), last["version"]))
    return planned


def parcels_of(steps: Sequence[Step], batch: int, body_bytes_max: int) -> list[Parcel]:
    """In their order, at most ``batch`` messages and ``body_bytes_max`` bytes at once; a message alone is sent
    whatever its size. A version that several messages tell of is reached with the last of them."""
    last = {(step.message.location, step.message.sku, step.reaches): at for at, step in enumerate(steps)}
    parcels = []
    for first, end in _spans(steps, batch, body_bytes_max):
        reaches: dict[tuple[str, str], int] = {}
        for at, step in enumerate(steps[first:end], first):
            location, sku = step.message.location, step.message.sku
            assert location is not None
            assert sku is not None
            done = last[location, sku, step.reaches] == at
            reaches[location, sku] = step.reaches if done else max(step.reaches - 1, reaches.get((location, sku), 0))
        messages = [step.message for step in steps[first:end]]
        parcels.append(Parcel(messages[0] if batch == 1 else batch_of(messages), reaches))
    return parcels


def _spans(steps: Sequence[Step], batch: int, body_bytes_max: int) -> Iterable[tuple[int, int]]:
    first = size = 0
    for at, step in enumerate(steps):
        more = len(step.message.body()) + _MEMBER_BYTES if batch > 1 else body_bytes_max
        if at > first and (at - first >= batch or size + more > body_bytes_max):
            yield first, at
            first = at
            size = 0
        size += more
    if steps:
        yield first, len(steps)


def _edge(before: int, after: int, steps: PublicSteps) -> str | None:
    """As the public steps have it: out below the first, low below the one that is called so."""
    was, now = steps.availability(before), steps.availability(after)
    if was == now:
        return None
    if now == "out":
        return OUT
    if was == "out":
        return BACK
    return LOW if now == "low" else None
