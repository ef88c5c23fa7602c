"""Reads the log from its start to its end, with httpx and orjson, and does nothing with it: how long it takes.

By nothing of ours: so it stays the same measure when followers read faster. ``python -m tests.bench.bare_reader`` reads
``{"url", "key"}`` from its standard input, and prints ``{"s", "cpu_s"}``: seconds, and those of its processor.
"""

import asyncio
import json
import sys
import time
from typing import Any

import httpx
import orjson

PAGE = 1_000


async def main(url: str, key: str) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False) as http:

        async def get(path: str, **parameters: int) -> Any:
            return orjson.loads((await http.get(path, params=parameters)).raise_for_status().content)

        async def read(shard: int, head: int) -> None:
            seq = 0
            while seq < head:
                seq = (await get("/v1/events", shard=shard, after=seq, limit=PAGE))["events"][-1]["seq"]

        shards = (await get("/v1/shards"))["shards"]
        began_s, used_s = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as tasks:
            for one in shards:
                tasks.create_task(read(one["shard"], one["head"]))
        return {"s": time.monotonic() - began_s, "cpu_s": time.process_time() - used_s}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
