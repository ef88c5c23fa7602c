"""What a hub or ledger says of itself on its admin port."""

from typing import Any

import httpx

from tests.harness.servers import Server
from tests.harness.waiting import PATIENCE_S, wait_until


async def metric_of(process: Server, name: str) -> float:
    """``name`` as it is now, without labels or with those that are exported. Raises httpx.TransportError."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        exported = (await client.get(f"{process.admin}/metrics")).text
    return next(float(line.split()[-1]) for line in exported.splitlines() if line.startswith(f"{name} "))


async def await_metric(process: Server, name: str, value: float) -> None:
    """``name`` with its labels as they are exported. Raises AssertionError with everything exported."""
    text = ""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:

        async def found() -> bool:
            nonlocal text
            text = (await client.get(f"{process.admin}/metrics")).text
            return f"{name} {value:.1f}" in text.splitlines()

        try:
            await wait_until(found, PATIENCE_S, what=f"{name} {value}", swallow=httpx.TransportError)
        except AssertionError:
            raise AssertionError(f"not {name} {value} in:\n{text}") from None


async def await_applied(hub: Server, level: dict[str, Any]) -> None:
    """Until the hub has the event of ``level``, which has to be the last one of its shard."""
    await await_metric(hub, f'stockwire_hub_applied_seq{{shard="{level["shard"]}"}}', level["seq"])
