"""aiohttp's client in a loop: the same bytes to one URL, so many at once; prints CPU us of a post.

``python -m tests.bench.bare_poster`` reads ``{"url", "headers", "body", "count", "at_once"}`` from its standard input.
"""

import asyncio
import json
import sys
import time
from typing import Any

import aiohttp

WARM_UP = 10
"""Posts of each loop before the clock runs: its connection is there then."""


async def main(asked: dict[str, Any]) -> float:
    body = asked["body"].encode()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), headers=asked["headers"]) as session:

        async def post(times: int) -> None:
            for _ in range(times):
                async with session.post(asked["url"], data=body, allow_redirects=False) as answer:
                    assert answer.status == 204, answer.status
                    await answer.read()

        async def all_of_them(times: int) -> None:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(asked["at_once"]):
                    tasks.create_task(post(times))

        await all_of_them(WARM_UP)
        at_once: int = asked["at_once"]
        times: int = max(1, asked["count"] // at_once)
        before = time.process_time()
        await all_of_them(times)
        return (time.process_time() - before) / (times * at_once) * 1e6


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.load(sys.stdin)))))
