"""Every process by its admin port, and the limits of this one."""

import asyncio
import resource
from collections.abc import Mapping
from pathlib import Path

import httpx

from cli import findings
from cli.findings import Finding, State
from cli.top import nodes_of
from wire.environment import SettingsError

TIMEOUT_S = 10.0


def files() -> Finding:
    return findings.files_finding(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


async def processes(data: Path, variables: Mapping[str, str]) -> list[Finding]:
    try:
        nodes = nodes_of([], data, variables)()
    except SettingsError as error:
        return [Finding("processes", State.SKIPPED, str(error))]
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as http:
        return await asyncio.gather(*(_ready(http, name, url) for name, url in nodes.items()))


async def _ready(http: httpx.AsyncClient, name: str, url: str) -> Finding:
    fix = "start it; its log says why it ended (of a `stockwire up`: in the data folder)"
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.HTTPError as error:
        return Finding(name, State.FAILED, f"does not answer at {url}: {error or type(error).__name__}", fix)
    if answer.status_code != httpx.codes.OK:
        reason = answer.text.strip()[:200]
        return Finding(name, State.FAILED, f"is not ready: {reason}", "see its log for what it waits for")
    return Finding(name, State.GOOD, f"ready at {url}")
