"""Waiting until hubs have what a ledger has committed: what they hold may be from just before, and so a snapshot."""

import asyncio

import httpx

from tests.harness.system import System
from tests.harness.waiting import wait_until


async def shown_by_hubs(system: System, location: str, sku: str, version: int) -> None:
    """Until the level has at least this version on every hub. They hold it from now on: ask again after a change."""
    headers = {"Authorization": f"Bearer {await system.admin_key()}"}
    async with httpx.AsyncClient(headers=headers, trust_env=False, verify=False) as http:

        async def shown_by(url: str) -> None:
            async def shown() -> bool:
                answer = await http.get(f"{url}/v1/levels/{location}/{sku}")
                return answer.status_code == 200 and bool(answer.json()["version"] >= version)

            what = f"{sku} in {location} has version {version} at {url}"
            await wait_until(shown, what=what, swallow=httpx.TransportError)

        await asyncio.gather(*(shown_by(hub.url) for hub in system.hubs))
