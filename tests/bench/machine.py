"""On what the bench ran: figures of different machines are not compared."""

import os
import platform
from pathlib import Path

import asyncpg
import psutil
from redis.asyncio import Redis

from tests.bench.shop import Shop


def machine() -> dict[str, str]:
    return {
        "cores": str(os.cpu_count()),
        "processor": _processor(),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
    }


async def versions(shop: Shop) -> dict[str, str]:
    connection = await asyncpg.connect(shop.system.database_url)
    try:
        postgres = str(await connection.fetchval("show server_version"))
    finally:
        await connection.close()
    async with Redis.from_url(shop.system.redis_url) as redis:
        told = await redis.info("server")
    return {
        "Python": platform.python_version(),
        "PostgreSQL": postgres.split()[0],
        "Valkey": str(told.get("valkey_version", told["redis_version"])),
    }


def _processor() -> str:
    """As Linux names it; elsewhere its architecture."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
