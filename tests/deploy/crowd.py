"""Many clients that watch until they are asked to end, in a process of their own: who carries out the cluster beside
them has to probe its pods in time.
"""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stockwire import AsyncClient
from tests.faults.watcher import Watcher, await_agreement, watching
from tests.harness.children import die_with_parent
from tests.harness.processes import ROOT, clean_environment
from tests.harness.waiting import PATIENCE_S

COMING_MAX = 50
"""At once: of more, the last would have waited for too long when their process comes to it."""


class Crowd:
    """``agreed``, once and last: what all of them show at the end."""

    def __init__(self, process: asyncio.subprocess.Process, size: int) -> None:
        self._process = process
        self._patience_s = PATIENCE_S * (1 + size / 1_000)

    async def told(self, **order: Any) -> Any:
        """The answer to an order. Raises AssertionError if the process has ended, TimeoutError."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        answer = await asyncio.wait_for(self._process.stdout.readline(), self._patience_s)
        assert answer, "the clients' process has ended"
        return json.loads(answer)

    async def agreed(self) -> list[tuple[int, int, int]]:
        """The figures that they show, each once, when all have what the ledger has and no version has gone back."""
        figures: list[tuple[int, int, int]] = await self.told()
        return figures


@asynccontextmanager
async def crowd(api: str, key: str, hubs: list[str], size: int, location: str) -> AsyncIterator[Crowd]:
    """Ready: each has its first snapshot."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.deploy.crowd"),
        stdin=pipe,
        stdout=pipe,
        cwd=ROOT,
        env=clean_environment({}),
        preexec_fn=die_with_parent(signal.SIGKILL),
    )
    try:
        one = Crowd(process, size)
        assert await one.told(api=api, key=key, hubs=hubs, size=size, location=location) == "here"
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def main() -> None:
    order = json.loads(sys.stdin.readline())
    location = order["location"]
    async with AsyncClient(order["api"], order["key"], hubs=order["hubs"], timeout_s=PATIENCE_S) as client:
        end, watchers, coming = asyncio.Event(), list[Watcher](), asyncio.Semaphore(COMING_MAX)
        everybody = asyncio.Event()

        async def one() -> None:
            await coming.acquire()
            async with watching(client, location) as watcher:
                coming.release()
                watchers.append(watcher)
                if len(watchers) == order["size"]:
                    everybody.set()
                await end.wait()

        async with asyncio.TaskGroup() as tasks:
            for number in range(order["size"]):
                tasks.create_task(one(), name=f"client {number}")
            await everybody.wait()
            answer("here")
            await asyncio.to_thread(sys.stdin.readline)
            await await_agreement(client, location, watchers)
            answer(sorted({figures for watcher in watchers for figures in watcher.figures.values()}))
            end.set()


def answer(what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
