"""A launch rehearsal for locust: shoppers, tills and staff, and a verdict at the end. See docs/how-to/load-test.md.

    make load ARGS="--users-peak 80 --minutes 2 --processes 2"

What can be decided without a socket stands in `tests/load`: the launch's curve, a shopper's screen, the verdict.
"""

import contextlib
import logging
import os
import random
import sys
import time
import uuid
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.exception import StopTest
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from stockwire import request
from stockwire.errors import ConfigurationError, Later, Refused, StockwireError
from stockwire.level import Level
from stockwire.operation import Line, OperationResult, receipt, sale
from stockwire.request import Request
from stockwire.settings import Settings, resolve
from tests.load.caller import TIMEOUT_S, call
from tests.load.catalogue import DELIVERY_UNITS, SCARCE_UNITS, Catalogue, named
from tests.load.curve import PHASES, Curve
from tests.load.judge import Judge
from tests.load.ledger import Ledger
from tests.load.node import Node
from tests.load.options import add_options, hubs_of
from tests.load.report import add_to_html, table, write_json
from tests.load.sending import send
from tests.load.stream import watch
from tests.load.verdict import Fault

logger = logging.getLogger(__name__)
IDLE_S = 0.2
"""How often a user whose shop has closed looks whether it is over."""
LEAVE_S = 5.0
"""Users who leave finish the call they are in: being killed there would leave its outcome unknown."""
NO_SYSTEM = 78
"""Of sysexits.h, EX_CONFIG: as the servers end without their settings."""


class Launch:
    """What this process knows of the run: ``node`` where users are, ``judge`` where the verdict is made."""

    settings: ClassVar[Settings]
    node: ClassVar[Node | None] = None
    judge: ClassVar[Judge | None] = None
    faults: ClassVar[list[Fault]] = []
    report: ClassVar[Path | None] = None


class LaunchDay(LoadTestShape):
    """`tests.load.curve`, second by second."""

    def tick(self) -> tuple[int, float] | None:
        assert self.runner is not None
        options = self.runner.environment.parsed_options
        assert options is not None
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
        assert Launch.node is not None
        return Launch.node

    def wait_time(self) -> float:
        return self.node.think_s(self.pace) if self.node.trading else IDLE_S

    def call(self, name: str, asked: Request) -> dict[str, Any]:
        return call(lambda again: send(self.client, Launch.settings.key, name, again), asked)[0]

    def book(self, name: str, asked: Request) -> None:
        """One operation with all its tries. Being refused, and nobody there, are in the statistics."""
        assert asked.key is not None
        if not self.node.trading:
            return
        with contextlib.suppress(Refused, Later), self.node.booking(asked.key) as booking:
            booking.result = OperationResult.parse(self.call(name, asked), key=asked.key, replayed=False)

    def move(self, name: str, lines: list[Line], key: str) -> None:
        self.book(name, request.operation(lines, key))


class Shopper(Visitor):
    """Watches the shop on a WebSocket, sometimes buys one unit."""

    weight = 16

    def on_start(self) -> None:
        self.screen = self.node.enter()
        self._watching = gevent.spawn(watch, self.screen, Launch.settings.key or "", self)
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
        assert level.committed_at is not None
        took = datetime.now(UTC) - level.committed_at
        self.environment.events.request.fire(
            request_type="WS",
            name="commit to screen",
            response_time=max(0.0, took.total_seconds() * 1000),
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


def find_the_system(environment: Environment, **_: Any) -> None:
    """Says at once if there is none."""
    runner = environment.runner
    assert runner is not None
    try:
        Launch.settings = resolve(environment.host, None, os.environ)
    except StockwireError as error:
        logger.error("stockwire: %s", error)
        sys.exit(NO_SYSTEM)
    environment.host = Launch.settings.url
    environment.stop_timeout = environment.stop_timeout or LEAVE_S
    if not isinstance(runner, MasterRunner):
        for order in ("phase", "close", "show"):
            runner.register_message(order, obey, concurrent=True)
    if not isinstance(runner, WorkerRunner):
        environment.process_exit_code = 1  # until there is a verdict
        for news in ("acknowledged", "closed", "screens", "shown"):
            runner.register_message(news, hear)


def open_the_shop(environment: Environment, **_: Any) -> None:
    """The process that judges makes what is sold, and names it to the others among the options."""
    options, runner = environment.parsed_options, environment.runner
    assert options is not None
    try:
        if not isinstance(runner, WorkerRunner):
            catalogue = named(options.location, options.skus)
            Launch.judge, Launch.faults = Judge(Launch.settings, catalogue, options.quiet_s), []
            options.launch = catalogue.location
        if isinstance(runner, LocalRunner | WorkerRunner):
            with Ledger(Launch.settings) as ledger:
                hubs = hubs_of(options) or ledger.hubs()
            if not hubs:
                raise ConfigurationError(
                    "the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS there, or give --hubs"
                )
            Launch.node = Node(runner, Catalogue(options.launch, options.skus), hubs, runner.worker_index)
    except StockwireError as error:
        raise StopTest(f"stockwire: {error}") from error


def obey(msg: Any, **_: Any) -> None:
    """In a load process: what the one that judges wants."""
    match Launch.node, msg.type:
        case Node() as node, "phase":
            node.phase = next(phase for phase in PHASES if phase.name == msg.data["name"])
        case Node() as node, "close":
            node.close()
        case Node() as node, "show":
            node.show(msg.data["turn"])


def hear(msg: Any, **_: Any) -> None:
    """In the process that judges: what a load process tells."""
    if Launch.judge is not None:
        Launch.judge.reports.hear(msg.type, msg.node_id, msg.data)


def judge_the_run(environment: Environment, **_: Any) -> None:
    """While the users are still there: nobody trades any more, everybody goes on watching."""
    judge, runner = Launch.judge, environment.runner
    if judge is None or judge.ended or runner is None:
        return
    logger.info("Trading ends; every screen and the whole log are compared now")
    try:
        nodes = list(runner.clients) if isinstance(runner, MasterRunner) else ["local"]
        Launch.faults = judge.faults(runner, nodes)
    except StockwireError as error:
        logger.error("stockwire: no verdict, the audit cannot be read: %s", error)


def count_failures(environment: Environment, **_: Any) -> None:
    """The exit status. Only now have the load processes told the last of their statistics."""
    judge_the_run(environment)  # SIGTERM comes here first
    if not Launch.faults or environment.runner is None:
        return
    stats, exceptions = environment.stats, environment.runner.exceptions
    samples = [
        f"{error.occurrences} times {error.method} {error.name}: {error.error}" for error in stats.errors.values()
    ]
    samples += [f"{crash['count']} times {crash['msg']}" for crash in exceptions.values()]
    failed = stats.total.num_failures + sum(crash["count"] for crash in exceptions.values())
    of = f"{stats.total.num_requests:,} requests, connections and messages"
    report = environment.parsed_options.html_file if environment.parsed_options else None
    Launch.report = Path(report) if report else None
    Launch.faults.append(Fault("failed", failed, of, tuple(samples[:5])))
    environment.process_exit_code = int(any(fault.count for fault in Launch.faults))


def show_the_verdict(exit_code: int, **_: Any) -> None:
    """Below locust's own tables, in its HTML report, and as JSON beside that."""
    if Launch.judge is None:
        return
    title = Launch.judge.catalogue.location
    text = table(title, Launch.faults) if Launch.faults else f"Verdict on {title}: none, so the run has FAILED"
    sys.stdout.write(f"\n{text}\n")
    if Launch.report is not None:
        add_to_html(Launch.report, text, passed=exit_code == 0)
        write_json(Launch.report.with_suffix(".json"), title, Launch.faults)
        sys.stdout.write(f"Report: {Launch.report}, and the verdict as {Launch.report.with_suffix('.json')}\n")


for hook, listener in (
    (events.init_command_line_parser, add_options),
    (events.init, find_the_system),
    (events.test_start, open_the_shop),
    (events.test_stopping, judge_the_run),
    (events.quitting, count_failures),
    (events.quit, show_the_verdict),
):
    hook.add_listener(listener)  # type: ignore[no-untyped-call]  # the hooks have no annotations
