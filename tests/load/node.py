"""What the users of one load process share, and how it reports to the process that judges.

Messages, in the order in which they go: ``acknowledged`` all the time, in parcels; after ``close`` no user trades any
more, and ``closed`` comes behind the last parcel; each ``show`` is answered by ``screens``, in parcels, and ``shown``;
at last ``backs``, where abandoned baskets came back, by ``returned``, when screens showed it.
With one process for everything the same messages go round inside of it.
"""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count
from typing import Any, Protocol, TypeVar

from stockwire import errors
from stockwire.operation import OperationResult
from tests.load.catalogue import Catalogue
from tests.load.curve import PHASES, Phase
from tests.load.screen import Delivered, Screen
from tests.load.shelf import Return, Shelf, times_of
from tests.load.verdict import effects

PARCEL_OPERATIONS = 200
"""About 20 KB: small beside locust's own messages, and few enough that none waits."""
PARCEL_SCREENS = 20
"""A screen of 40 levels is about 1.5 KB."""
FINISH_S = 30.0
"""For calls that are under way when the doors close: longer than all tries of one take, by `caller.POLICY`."""
POLL_S = 0.02
NOT_BOOKED = (
    *(errors.Refused, errors.Invalid, errors.Unauthorized, errors.Forbidden, errors.NotFound),
    *(errors.RateLimited, errors.Overloaded, errors.Unavailable),
)
"""Whatever else ends a call may have been booked: no answer, the key in use elsewhere, being killed in the middle."""
T = TypeVar("T")


class Runner(Protocol):
    """Of locust's runners."""

    def send_message(self, msg_type: str, data: Any = None) -> None: ...


@dataclass(slots=True)
class Booking:
    """One operation under way. Without a ``result`` its outcome is unknown, unless the error says otherwise."""

    result: OperationResult | None = None


class Node:
    """``trading``: whether users may buy and sell. ``index``: of this load process among all."""

    def __init__(self, runner: Runner, catalogue: Catalogue, hubs: list[str], index: int) -> None:
        self.catalogue = catalogue
        self.phase: Phase = PHASES[0]
        self.trading = True
        self._runner = runner
        self._hubs = hubs
        self._index = index
        self._numbers = count()
        self._screens: dict[str, Screen] = {}
        self._left = Delivered()
        self._left_shelves: list[Shelf] = []
        self._under_way = 0
        self._acknowledged: list[tuple[str, list[tuple[Any, ...]]]] = []
        self._unknown: list[str] = []
        self._abandoned: list[tuple[str, float]] = []

    # users

    def enter(self) -> Screen:
        """A screen for one more shopper, on the next hub in turn."""
        number = next(self._numbers)
        hub = self._hubs[(number + self._index) % len(self._hubs)]
        name = f"shopper {self._index}.{number} at {hub}"
        screen = Screen(name, hub, self.catalogue.location, self.catalogue.watched())
        self._screens[name] = screen
        return screen

    def leave(self, screen: Screen) -> None:
        """What it was sent still counts; what it shows no more. Safe twice."""
        if self._screens.pop(screen.name, None) is not None:
            self._left.add(screen.delivered)
            screen.shelf.end(time.time())
            self._left_shelves.append(screen.shelf)

    @contextmanager
    def booking(self, key: str) -> Iterator[Booking]:
        """Around all tries of one operation."""
        booking = Booking()
        known = False
        self._under_way += 1
        try:
            yield booking
        except NOT_BOOKED:
            known = True
            raise
        finally:
            self._under_way -= 1
            if booking.result is not None:
                self._acknowledged.append((booking.result.operation, sorted(effects(booking.result.events))))
            elif not known:
                self._unknown.append(key)
            if len(self._acknowledged) >= PARCEL_OPERATIONS:
                self._send_acknowledged()

    def abandon(self, reference: str, ends_at: datetime) -> None:
        """A basket that nobody comes back for."""
        self._abandoned.append((reference, ends_at.timestamp()))

    def think_s(self, part: float = 1.0) -> float:
        return random.uniform(0.5, 1.5) * self.phase.think_s * part

    # the judging process

    def close(self) -> None:
        """Let nobody begin anything, wait for what is under way, report the rest."""
        self.trading = False
        ends = time.monotonic() + FINISH_S
        while self._under_way and time.monotonic() < ends:
            time.sleep(POLL_S)
        self._send_acknowledged()
        self._runner.send_message("closed", {"under_way": self._under_way})

    def show(self, turn: int) -> None:
        delivered = Delivered()
        delivered.add(self._left)
        screens = list(self._screens.values())
        for screen in screens:
            delivered.add(screen.delivered)
        for some in _parcels(screens, PARCEL_SCREENS):
            self._runner.send_message("screens", {"turn": turn, "screens": [_described(screen) for screen in some]})
        figures = {**asdict(delivered), "samples": list(delivered.samples)}
        self._runner.send_message("shown", {"turn": turn, "delivered": figures})

    def tell_returns(self, backs: list[Return]) -> None:
        shelves = [*self._left_shelves, *(screen.shelf for screen in self._screens.values())]
        times = times_of(shelves, [(sku, version, over) for sku, version, over in backs], time.time())
        self._runner.send_message("returned", {"times": sorted(times.items())})

    def _send_acknowledged(self) -> None:
        acknowledged, self._acknowledged = self._acknowledged, []
        unknown, self._unknown = self._unknown, []
        for some in _parcels(acknowledged, PARCEL_OPERATIONS):
            self._runner.send_message("acknowledged", {"operations": some, "unknown": []})
        for keys in _parcels(unknown, PARCEL_OPERATIONS):
            self._runner.send_message("acknowledged", {"operations": [], "unknown": keys})
        abandoned, self._abandoned = self._abandoned, []
        for baskets in _parcels(abandoned, PARCEL_OPERATIONS):
            self._runner.send_message("abandoned", {"baskets": baskets})


def _described(screen: Screen) -> dict[str, Any]:
    skus = None if screen.skus is None else list(screen.skus)
    return {"name": screen.name, "complete": screen.complete, "skus": skus, "levels": screen.levels()}


def _parcels(things: list[T], size: int) -> Iterator[list[T]]:
    for begin in range(0, len(things), size):
        yield things[begin : begin + size]
