"""What every process of ours does around its work: its settings, the signals that end it, and its ready line."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import orjson

from server.log import end_with, log_form, log_to_stderr
from server.settings.environment import EXIT_CONFIG, SettingsError
from server.tls.certificate import Tls

Settings = TypeVar("Settings")

COLLECTOR_THRESHOLDS = (50_000, 10, 10)
"""Objects more than before, and rounds: as Python's own but for the first, 700, which a busy process passes hundreds of
times a second, each time in the middle of requests that only hold what they need."""

log = logging.getLogger(__name__)


def run(
    read_settings: Callable[[Mapping[str, str]], Settings],
    serve: Callable[[Settings], Coroutine[Any, Any, None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Until ``serve`` ends. Returns the exit status: 78, after one line, where either raised SettingsError."""
    status = 0
    try:
        log_to_stderr(log_form(os.environ))
        settings = read_settings(os.environ)
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(serve(settings))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, first_of(group))
    return status


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of what tasks raised side by side: each may have met the same."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def handle_signals(stop: Callable[[], None], tls: Tls | None) -> None:
    """SIGTERM and SIGINT call ``stop``; SIGHUP takes a renewed certificate. Within the loop, before anything serves."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    if tls is not None:
        loop.add_signal_handler(signal.SIGHUP, tls.renew)


def ready(service: str, addresses: Mapping[str, Any]) -> None:
    """Everything is made and work begins: the collector of garbage settles, then the ready line is written."""
    settle_collector()
    announce(service, addresses)


def settle_collector() -> None:
    """Leaves out of every later collection what was made until now, and looks at what is made from now on more rarely.

    A tenth or more of a busy process's time went into walking over modules, routes and classes that stay for as long as
    it runs. What becomes garbage is still found: circles of it by the collector, all else as soon as nobody holds it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTOR_THRESHOLDS)


def announce(service: str, addresses: Mapping[str, Any]) -> None:
    """The ready line: one JSON object on standard output, which whoever started this process may wait for."""
    try:
        sys.stdout.write(orjson.dumps({"ready": True, "service": service, **addresses}).decode() + "\n")
        sys.stdout.flush()
    except (
        BrokenPipeError
    ):  # a parent that is gone has no use for it; a process that should end then learns of it itself
        log.warning("nobody reads the ready line")
