"""An image with a version that is bad on purpose: ``bad_image.py ledger`` or ``bad_image.py hub`` becomes that process
as `stockwire` does, with a fault in it. A ledger fails every tenth write, a hub hears everything 2 s late.
"""

import asyncio
import runpy
import sys
from itertools import count
from typing import Any

from hub.feed.feed import Feed
from hub.feed.ledger_client import LedgerClient
from ledger.commit.operation import Operation
from ledger.commit.writers import Writers
from server.problems import Unavailable
from server.tracing.span import Span

EVERY = 10
LATE_S = 2.0


def break_ledger() -> None:
    written, enqueue = count(1), Writers.enqueue

    def sometimes(self: Writers, operation: Operation, span: Span | None = None) -> "asyncio.Future[Any]":
        if next(written) % EVERY == 0:
            raise Unavailable("bad on purpose", 1)
        return enqueue(self, operation, span)

    Writers.enqueue = sometimes  # type: ignore[method-assign]  # this is the fault


def break_hub() -> None:
    """The log too: a hub whose broker is late reads that instead, and is in time."""
    message, events = Feed.message, LedgerClient.events

    def late_message(self: Feed, channel: str, data: bytes) -> None:
        asyncio.get_running_loop().call_later(LATE_S, message, self, channel, data)

    async def late_events(self: LedgerClient, shard: int, after: int, wait_s: int) -> Any:
        page = await events(self, shard, after, wait_s)
        await asyncio.sleep(LATE_S)
        return page

    Feed.message = late_message  # type: ignore[method-assign]  # this is the fault
    LedgerClient.events = late_events  # type: ignore[method-assign]  # this too


if __name__ == "__main__":
    {"ledger": break_ledger, "hub": break_hub}[sys.argv[1]]()
    module = sys.argv[1]
    sys.argv = sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
