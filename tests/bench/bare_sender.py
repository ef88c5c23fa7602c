"""Sends commands to the ledger by the client of an intake, so many at once in no order, and does nothing else.

``python -m tests.bench.bare_sender`` reads ``{"url", "key", "skus", "count", "at_once"}`` from its standard input, and
prints ``{"s", "cpu_s"}``: seconds, and those of its processor, once a tenth has warmed it up.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterator

import uvloop

from followers.intake.command import Command, parse
from followers.intake.ledger import CommandLedger
from tests.bench.intaking import WARM, sales
from tests.followers.intake.running import event_of


async def main(url: str, key: str, skus: list[str], count: int, at_once: int) -> dict[str, float]:
    events = [event_of(sent) for sent in sales(skus, range(count))]
    commands = [parse(event.attributes, event.data) for event in events]
    warm = int(count * WARM)
    async with CommandLedger(url, key, None) as ledger:

        async def send(waiting: Iterator[Command]) -> None:
            for command in waiting:
                reply = await ledger.send(command)
                assert reply.status == 201, reply

        async def send_all(chosen: list[Command]) -> None:
            waiting = iter(chosen)
            async with asyncio.TaskGroup() as tasks:
                for _ in range(at_once):
                    tasks.create_task(send(waiting))

        await send_all(commands[:warm])
        began_s, used_s = time.monotonic(), time.process_time()
        await send_all(commands[warm:])
        return {"s": time.monotonic() - began_s, "cpu_s": time.process_time() - used_s}


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(main(**json.load(sys.stdin)))))
