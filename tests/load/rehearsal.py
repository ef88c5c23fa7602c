"""A rehearsal from its beginning to its verdict: what locust's events call, in the order in which they come."""

import logging
import os
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

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


@dataclass
class Run:
    """What this process knows of it: ``node`` where users are, ``judge`` where the verdict is made."""

    settings: Settings
    node: Node | None = None
    judge: Judge | None = None
    faults: list[Fault] = field(default_factory=list)
    report: Path | None = None


def run_of(environment: Environment) -> Run:
    """As `find_the_system` has put it there."""
    run: Run = environment.launch_run  # type: ignore[attr-defined]  # locust has no place for what is the test's own
    return run


def find_the_system(environment: Environment, **_: Any) -> None:
    """Says at once if there is none."""
    runner = environment.runner
    assert runner is not None
    try:
        run = Run(resolve(environment.host, None, os.environ))
    except StockwireError as error:
        logger.error("stockwire: %s", error)
        sys.exit(NO_SYSTEM)
    environment.launch_run = run  # type: ignore[attr-defined]  # see run_of
    # locust ends without a word of the environment
    environment.events.quit.add_listener(partial(show_the_verdict, run))  # type: ignore[no-untyped-call]  # its own lack
    environment.host = run.settings.url
    environment.stop_timeout = environment.stop_timeout or LEAVE_S
    if not isinstance(runner, MasterRunner):
        for order in ("phase", "close", "show", "backs"):
            runner.register_message(order, obey, concurrent=True)
    if not isinstance(runner, WorkerRunner):
        environment.process_exit_code = 1  # until there is a verdict
        for news in ("acknowledged", "abandoned", "closed", "screens", "shown", "returned"):
            runner.register_message(news, hear)


def open_the_shop(environment: Environment) -> bool:
    """Makes what is sold, and names it to the load processes among the options. Whether that was to be done.

    Called by the shape and not by the event of the start: locust breaks that off, and fires it again, when the shape
    moves on meanwhile. Raises StopTest.
    """
    options, runner, run = environment.parsed_options, environment.runner, run_of(environment)
    assert options is not None
    assert runner is not None
    # The shape goes on while a run that was interrupted is judged: that is no new one
    if run.judge is not None and not (run.judge.ended and runner.state == STATE_INIT):
        return False
    run.faults = []
    try:
        catalogue = named(options.location, options.skus)
        run.judge = Judge(runner, lambda: present(runner), run.settings, catalogue, options.quiet_s, options.late_s)
        hubs = hubs_of(options) or run.judge.hubs
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
        run_of(environment).node = Node(runner, catalogue, options.launch["hubs"], runner.worker_index)


def obey(environment: Environment, msg: Any, **_: Any) -> None:
    """In a load process: what the one that judges wants."""
    match run_of(environment).node, msg.type:
        case Node() as node, "phase":
            node.phase = next(phase for phase in PHASES if phase.name == msg.data["name"])
        case Node() as node, "close":
            node.close()
        case Node() as node, "show":
            node.show(msg.data["turn"])
        case Node() as node, "backs":
            node.tell_returns(msg.data["backs"])


def hear(environment: Environment, msg: Any, **_: Any) -> None:
    """In the process that judges: what a load process tells."""
    judge = run_of(environment).judge
    if judge is not None:
        judge.reports.hear(msg.type, msg.node_id, msg.data)


def present(runner: Any) -> list[str]:
    """The load processes: those that talk to this one, or this one alone."""
    if not isinstance(runner, MasterRunner):
        return ["local"]
    return [name for name, node in runner.clients.items() if node.state != STATE_MISSING]


def judge_the_run(environment: Environment, **_: Any) -> None:
    """While the users are still there: nobody trades any more, everybody goes on watching."""
    run = run_of(environment)
    judge = run.judge
    if judge is None or judge.ended:
        return
    logger.info("Trading ends; every screen and the whole log are compared now")
    try:
        run.faults = judge.faults()
    except StockwireError as error:
        logger.error("stockwire: no verdict, the audit cannot be read: %s", error)


def count_failures(environment: Environment, **_: Any) -> None:
    """The exit status. Only now have the load processes told the last of their statistics."""
    judge_the_run(environment)  # SIGTERM comes here first
    run = run_of(environment)
    if not run.faults or environment.runner is None:
        return
    stats, exceptions = environment.stats, environment.runner.exceptions
    samples = [
        f"{error.occurrences} times {error.method} {error.name}: {error.error}" for error in stats.errors.values()
    ]
    samples += [f"{crash['count']} times {crash['msg']}" for crash in exceptions.values()]
    failed = stats.total.num_failures + sum(crash["count"] for crash in exceptions.values())
    of = f"{stats.total.num_requests:,} requests, connections and messages"
    report = environment.parsed_options.html_file if environment.parsed_options else None
    run.report = Path(report) if report else None
    run.faults.append(Fault("failed", failed, of, tuple(samples[:SAMPLES_MAX])))
    environment.process_exit_code = int(any(fault.count for fault in run.faults))


def show_the_verdict(run: Run, exit_code: int, **_: Any) -> None:
    """Below locust's own tables, in its HTML report, and as JSON beside that."""
    if run.judge is None:
        return
    title = run.judge.catalogue.location
    text = table(title, run.faults) if run.faults else f"Verdict on {title}: none, so the run has FAILED"
    sys.stdout.write(f"\n{text}\n")
    if run.report is not None:
        add_to_html(run.report, text, passed=exit_code == 0)
        write_json(run.report.with_suffix(".json"), title, run.faults)
        sys.stdout.write(f"Report: {run.report}, and the verdict as {run.report.with_suffix('.json')}\n")
