"""``python -m followers.listener``: see `stockwire listen`. Ends with 0 when it is told to, or its reader has gone."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from server.imports import lean

with lean():
    from followers.brokers.address import KAFKA, NATS
    from followers.brokers.broker import Broker, broker_of
    from followers.brokers.exchange import OPTIONS, stream_port_of
    from followers.brokers.libraries import libraries
    from server.log import end_with
    from server.process import first_of
    from server.settings.environment import EXIT_CONFIG, Environment, SettingsError

TO = "STOCKWIRE_RELAY_TO"
PREFIX_DEFAULT = "stockwire"
AGAIN_S = 1.0
"""Between two looks for what no relay has made yet."""
FAILED = 1

Lines = Callable[..., AsyncGenerator[bytes, None]]


def main() -> int:
    asked = argparse.ArgumentParser(prog="stockwire listen")
    asked.add_argument("--from-start", action="store_true")
    from_start = asked.parse_args().from_start
    status = 0
    try:
        environment = Environment(os.environ)
        broker = broker_of(environment, TO, OPTIONS)
        stream_port_of(broker, TO)
        prefix = environment.text("STOCKWIRE_RELAY_PREFIX", PREFIX_DEFAULT)
        lines = _lines_of(broker.address.kind)
        with asyncio.Runner() as runner:
            runner.run(_print(lines, broker, prefix, from_start=from_start))
    except* SettingsError as group:
        status = end_with(EXIT_CONFIG, first_of(group))
    except* ConnectionError as group:
        status = end_with(FAILED, f"{broker.address} does not answer: {first_of(group)}")
    return status


def _lines_of(kind: str) -> Lines:
    """Raises SettingsError if the broker's client is not installed."""
    with libraries():
        if kind == KAFKA:
            from followers.listener.kafka import lines
        elif kind == NATS:
            from followers.listener.nats import lines
        else:
            from followers.listener.rabbitmq import lines
    return lines


async def _print(lines: Lines, broker: Broker, prefix: str, *, from_start: bool) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        while True:
            try:
                async with aclosing(lines(broker, prefix, from_start=from_start)) as found:
                    async for line in found:
                        sys.stdout.buffer.write(line + b"\n")
                        sys.stdout.buffer.flush()
            except LookupError as error:
                sys.stderr.write(f"stockwire: {error} yet, waiting for a relay to make it\n")
                await asyncio.sleep(AGAIN_S)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except asyncio.CancelledError:
        pass


if __name__ == "__main__":
    sys.exit(main())
