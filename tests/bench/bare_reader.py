"""Reads the log from its start to its end by the client of followers, and does nothing with it: how long it takes.

``python -m tests.bench.bare_reader`` reads ``{"url", "key"}`` from its standard input,
and prints ``{"s", "cpu_s"}``: seconds, and those of its processor.
"""

import asyncio
import json
import sys
import time

from followers.log.follower import Follower
from followers.log.ledger import Ledger


async def main(url: str, key: str) -> dict[str, float]:
    async with Ledger(url, key) as ledger:
        shards = await ledger.shards()

        async def read(shard: int, head: int) -> None:
            follower = Follower(ledger, shards["epoch"], shard, 0)
            while follower.seq < head:
                await follower.page(wait=False)

        began_s, used_s = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for one in shards["shards"]:
                tasks.create_task(read(one["shard"], one["head"]))
        return {"s": time.monotonic() - began_s, "cpu_s": time.process_time() - used_s}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
