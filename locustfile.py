"""A launch rehearsal for locust: shoppers, tills, staff, abandoned baskets, and a verdict at the end.

See docs/how-to/load-test.md.

    make load ARGS="--users-peak 300 --minutes 5 --processes 2"

What users do stands here; how the run begins, is judged and ends in `tests/load/rehearsal.py`.
"""

import contextlib
import random
import time
import uuid
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import gevent
from locust import FastHttpUser, LoadTestShape, events, task

from stockwire import held, request, reservation_call
from stockwire.errors import Later, Refused
from stockwire.level import Level
from stockwire.operation import Line, OperationResult, receipt, sale
from stockwire.request import Request
from stockwire.reservation import Reservation
from tests.load import rehearsal
from tests.load.caller import TIMEOUT_S, call
from tests.load.catalogue import DELIVERY_UNITS, SCARCE_UNITS
from tests.load.curve import Curve
from tests.load.node import Node
from tests.load.options import add_options
from tests.load.rehearsal import run_of
from tests.load.sending import send
from tests.load.stream import watch

BASKET_S_MAX = 6
"""How long a basket is held at most, from 2 s on."""
ABANDONED_SHARE = 0.8

IDLE_S = 0.2
"""How often a user whose shop has closed looks whether it is over."""


class LaunchDay(LoadTestShape):
    """`tests.load.curve`, second by second."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
        if rehearsal.open_the_shop(self.runner.environment):
            self.start_time = time.perf_counter()  # the launch begins when there is something to sell
        step = Curve(options.users_peak, options.minutes * 60).at(time.perf_counter() - self.start_time)
        if step is None:
            return None
        self.runner.send_message("phase", {"name": step.phase.name})
        return step.users, step.rate


class Visitor(FastHttpUser):
    """Sends what the SDK builds; each try is a request in locust's statistics."""

    abstract = True
    network_timeout = TIMEOUT_S
    connection_timeout = TIMEOUT_S
    pace = 1.0
    """Of a shopper's thinking time."""

    @property
    def node(self) -> Node:
        node = run_of(self.environment).node
        assert node is not None
        return node

    def wait_time(self) -> float:
        return self.node.think_s(self.pace) if self.node.trading else IDLE_S

    def call(self, name: str, asked: Request) -> dict[str, Any]:
        key = run_of(self.environment).settings.key
        return call(lambda again: send(self.client, key, name, again), asked)

    def book(self, name: str, asked: Request) -> dict[str, Any] | None:
        """One operation with all its tries. Being refused, and nobody there, are in the statistics, and None here."""
        assert asked.key is not None
        if not self.node.trading:
            return None
        with contextlib.suppress(Refused, Later), self.node.booking(asked.key) as booking:
            document = self.call(name, asked)
            booking.result = OperationResult.parse(document, key=asked.key, replayed=False)
            return document
        return None

    def move(self, name: str, lines: list[Line], key: str) -> None:
        self.book(name, request.operation(lines, key))


class Shopper(Visitor):
    """Watches the shop on a WebSocket, sometimes buys one unit."""

    weight = 16

    def on_start(self) -> None:
        self.screen = self.node.enter()
        self._watching = gevent.spawn(watch, self.screen, run_of(self.environment).settings.key or "", self)
        self._watching.link_exception(self._thrown_out)

    def on_stop(self) -> None:
        self._watching.kill()
        self.node.leave(self.screen)

    @task
    def buy(self) -> None:
        key, catalogue = str(uuid.uuid4()), self.node.catalogue
        self.move("buy", [sale(catalogue.wish(self.node.phase.hot), catalogue.location, reference=key)], key)

    def connecting(self) -> AbstractContextManager[Any]:
        measured: AbstractContextManager[Any] = self.environment.events.request.measure("WS", "connect to snapshot")
        return measured

    def shown(self, level: Level, payload_bytes: int) -> None:
        age_ms = self.screen.age_ms(level, datetime.now(UTC))
        if age_ms is None:
            return  # the verdict says how many
        self.environment.events.request.fire(
            request_type="WS",
            name="commit to screen",
            response_time=age_ms,
            response_length=payload_bytes,
            exception=None,
            context={},
        )

    def _thrown_out(self, watching: gevent.Greenlet) -> None:
        self.environment.events.user_error.fire(user_instance=self, exception=watching.exception, tb=None)


class Till(Visitor):
    """Sells baskets: several lines, all or none."""

    weight = 3
    pace = 0.5

    @task
    def sell(self) -> None:
        key = str(uuid.uuid4())
        self.move("basket", self.node.catalogue.basket(self.node.phase.hot / 2, key), key)


class Undecided(Visitor):
    """Holds a basket for a few seconds. Of five one is paid for; nobody comes back for the others."""

    weight = 4
    pace = 0.12

    @task
    def fill_a_basket(self) -> None:
        key, ttl_s, catalogue = str(uuid.uuid4()), random.randint(2, BASKET_S_MAX), self.node.catalogue
        lines = [held(line.sku, catalogue.location) for line in catalogue.basket(self.node.phase.hot / 2, key)]
        made = self.reserve("hold", reservation_call.reserve(lines, ttl_s, None, key, key).request)
        if made is None or made.expires_at is None:
            return
        if random.random() < ABANDONED_SHARE:
            self.node.abandon(key, made.expires_at)
        else:
            self.reserve("pay", reservation_call.commit(made.id, None, True, f"{key}:paid").request)

    def reserve(self, name: str, asked: Request) -> Reservation | None:
        """None: refused, or not known."""
        document = self.book(name, asked)
        return None if document is None else Reservation.parse(document["reservation"])


class Staff(Visitor):
    """Counts what is on the shelf against the version that was read; brings what is scarce."""

    weight = 1
    pace = 0.5

    @task
    def visit_the_shelf(self) -> None:
        if not self.node.trading:
            return
        wanted, location = self.node.catalogue.wish(self.node.phase.hot), self.node.catalogue.location
        with contextlib.suppress(Later):
            level = Level.parse(self.call("read a level", request.level(wanted, location)))
            key = str(uuid.uuid4())
            if level.available < SCARCE_UNITS:
                self.move("delivery", [receipt(wanted, location, DELIVERY_UNITS, reference=key)], key)
            else:
                found = level.on_hand + random.choice((-1, 0, 0, 1))
                self.book("count", request.count(wanted, location, found, level.version, key))


for hook, listener in (
    (events.init_command_line_parser, add_options),
    (events.init, rehearsal.find_the_system),
    (events.test_start, rehearsal.let_users_in),
    (events.test_stopping, rehearsal.judge_the_run),
    (events.quitting, rehearsal.count_failures),
):
    hook.add_listener(listener)  # type: ignore[no-untyped-call]  # the hooks have no annotations
