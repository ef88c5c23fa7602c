"""A rehearsal from its beginning to its verdict: what locust's events call, in the order in which they come."""

import logging
import os
import sys
from pathlib import Path
from typing import Any, ClassVar

from locust.env import Environment
from locust.exception import StopTest
from locust.runners import STATE_INIT, STATE_MISSING, LocalRunner, MasterRunner, WorkerRunner

from stockwire.errors import ConfigurationError, StockwireError
from stockwire.settings import Settings, resolve
from tests.load.catalogue import Catalogue, named
from tests.load.curve import PHASES
from tests.load.judge import Judge
from tests.load.node import Node
from tests.load.options import hubs_of
from tests.load.report import add_to_html, table, write_json
from tests.load.verdict import SAMPLES_MAX, Fault

logger = logging.getLogger(__name__)
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


def open_the_shop(environment: Environment) -> bool:
    """Makes what is sold, and names it to the load processes among the options. Whether that was to be done.

    Called by the shape and not by the event of the start: locust breaks that off, and fires it again, when the shape
    moves on meanwhile. Raises StopTest.
    """
    options, runner = environment.parsed_options, environment.runner
    assert options is not None
    assert runner is not None
    # The shape goes on while a run that was interrupted is judged: that is no new one
    if Launch.judge is not None and not (Launch.judge.ended and runner.state == STATE_INIT):
        return False
    Launch.faults = []
    try:
        catalogue = named(options.location, options.skus)
        Launch.judge = Judge(runner, lambda: present(runner), Launch.settings, catalogue, options.quiet_s)
        hubs = hubs_of(options) or Launch.judge.hubs
        if not hubs:
            raise ConfigurationError("the ledger names no hubs: set STOCKWIRE_HUB_STREAM_URLS there, or give --hubs")
    except StockwireError as error:
        raise StopTest(f"stockwire: {error}") from error
    options.launch = {"location": catalogue.location, "hubs": hubs}
    return True


def let_users_in(environment: Environment, **_: Any) -> None:
    """In a load process, which may be this one too."""
    options, runner = environment.parsed_options, environment.runner
    assert options is not None
    if isinstance(runner, LocalRunner | WorkerRunner):
        catalogue = Catalogue(options.launch["location"], options.skus)
        Launch.node = Node(runner, catalogue, options.launch["hubs"], runner.worker_index)


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


def present(runner: Any) -> list[str]:
    """The load processes: those that talk to this one, or this one alone."""
    if not isinstance(runner, MasterRunner):
        return ["local"]
    return [name for name, node in runner.clients.items() if node.state != STATE_MISSING]


def judge_the_run(**_: Any) -> None:
    """While the users are still there: nobody trades any more, everybody goes on watching."""
    judge = Launch.judge
    if judge is None or judge.ended:
        return
    logger.info("Trading ends; every screen and the whole log are compared now")
    try:
        Launch.faults = judge.faults()
    except StockwireError as error:
        logger.error("stockwire: no verdict, the audit cannot be read: %s", error)


def count_failures(environment: Environment, **_: Any) -> None:
    """The exit status. Only now have the load processes told the last of their statistics."""
    judge_the_run()  # SIGTERM comes here first
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
    Launch.faults.append(Fault("failed", failed, of, tuple(samples[:SAMPLES_MAX])))
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
