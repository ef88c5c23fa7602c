"""``python -m hub [--workers N]``: a hub node, as one process or as several behind the same ports."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace

from server.imports import lean

with lean():
    from hub.process import Listeners, Node
    from hub.settings import ADMIN_HOST, ADMIN_PORT, HOST, READ_PORT, STREAM_PORT, Settings, read_settings
    from hub.stream.stream import PATH
    from hub.workers import PARENT_IS_GONE, Ports, Workers, parse_worker
    from server.http.listening import bind, url_of
    from server.log import end_with, log_form, log_to_stderr
    from server.process import handle_signals, ready
    from server.settings.environment import EXIT_CONFIG, SettingsError
    from server.tls.certificate import Tls

WORKERS_MAX = 256

log = logging.getLogger(__name__)


def main() -> int:
    try:
        log_to_stderr(log_form(os.environ))
        arguments = _arguments()
        settings = read_settings(os.environ)
        if arguments.workers > 1:
            return Workers(settings, arguments.workers).run()
        with asyncio.Runner(loop_factory=_loop_factory(settings)) as runner:
            runner.run(_serve(settings, arguments.worker))
    except SettingsError as error:
        return end_with(EXIT_CONFIG, error)
    return 0


def _arguments() -> argparse.Namespace:
    """Raises SettingsError."""
    parser = argparse.ArgumentParser(prog="python -m hub", description=__doc__)
    parser.add_argument("--workers", type=int, default=1, help="processes that share the stream and read ports")
    parser.add_argument("--worker", type=parse_worker, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not 1 <= arguments.workers <= WORKERS_MAX:
        raise SettingsError(f"--workers {arguments.workers} is out of range: use 1..{WORKERS_MAX}")
    return arguments


async def _serve(settings: Settings, worker: Ports | None) -> None:
    """Until SIGTERM or SIGINT, or until the parent of a worker is gone; then it drains. SIGHUP: a renewed certificate
    is taken. Raises SettingsError."""
    if worker is not None:
        settings = replace(
            settings,
            node=f"{settings.node}-{worker.number}",
            stream_port=worker.stream,
            read_port=worker.read,
            admin_port=worker.admin,
        )
    tls = Tls(settings.certificate) if settings.certificate else None
    admin_tls = None if tls is None else tls.beyond_loopback(settings.admin_host)
    listeners = Listeners(
        bind(settings.host, settings.stream_port, HOST, STREAM_PORT, shared=worker is not None),
        bind(settings.host, settings.read_port, HOST, READ_PORT, shared=worker is not None),
        bind(settings.admin_host, settings.admin_port, ADMIN_HOST, ADMIN_PORT),
    )
    node = Node(settings, tls, admin_tls)
    handle_signals(node.stop, tls)
    if worker is not None:
        asyncio.get_running_loop().add_reader(PARENT_IS_GONE, _parent_gone, node.stop)
    addresses = {
        "stream": url_of("ws", listeners.stream, tls) + PATH,
        "read": url_of("http", listeners.read, tls),
        "admin": url_of("http", listeners.admin, admin_tls),
    }
    await node.run(listeners, lambda: ready("hub", addresses))


def _parent_gone(stop: Callable[[], None]) -> None:
    """The parent holds the other end of our standard input, however it ends."""
    asyncio.get_running_loop().remove_reader(PARENT_IS_GONE)
    log.warning("the parent is gone, stopping")
    stop()


def _loop_factory(settings: Settings) -> Callable[[], asyncio.AbstractEventLoop]:
    if settings.loop == "uvloop":
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
        return factory
    return asyncio.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
