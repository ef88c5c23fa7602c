"""Every process by its admin port: that it is ready, and how many files it may open."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from cli import findings
from cli.findings import Finding, FindingState, OpenFiles
from cli.scrape import read_scrape
from cli.top import nodes_of
from cli.trust import trusted
from server.http.page import PageTooLarge, fetch
from server.settings.environment import SettingsError

TIMEOUT_S = 10.0
REASON_CHARACTERS_MAX = 200
_FAILED = (httpx.HTTPError, httpx.InvalidURL, PageTooLarge, ValueError)


async def processes(data: Path, variables: Mapping[str, str], ledgers: Mapping[str, str]) -> list[Finding]:
    """``ledgers``: the versions of those that the database knows of, by name. Some may be among the processes."""
    try:
        nodes = nodes_of([], data, variables)()
    except SettingsError as error:
        skipped = Finding("processes", FindingState.SKIPPED, str(error))
        return [skipped, findings.versions_finding(ledgers)] if ledgers else [skipped]
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted(variables)) as http:
        ready = await asyncio.gather(*(_ready(http, name, url) for name, url in nodes.items()))
        files = await asyncio.gather(*(_files(http, url) for url in nodes.values()))
    stated = {name: found for name, found in zip(nodes, files, strict=True) if found is not None}
    versions = {name: version for name, (_, version) in zip(nodes, ready, strict=True) if version is not None}
    found = [finding for finding, _ in ready]
    return [*found, findings.versions_finding({**versions, **ledgers}), findings.files_finding(stated)]


async def _ready(http: httpx.AsyncClient, name: str, url: str) -> tuple[Finding, str | None]:
    """With the version that it says it is; None from before 0.1.0, and where it does not answer."""
    fix = "start it; its log says why it ended (of a `stockwire up`: in the data folder)"
    try:
        answer = await fetch(http, f"{url}/readyz")
    except _FAILED as error:
        detail = f"does not answer at {url}: {error or type(error).__name__}"
        return Finding(name, FindingState.FAILED, detail, fix), None
    if not answer.ok:
        detail = f"is not ready: {reason_of(answer.text)}"
        return Finding(name, FindingState.FAILED, detail, "see its log for what it waits for"), None
    version = _version_of(answer.text)
    return Finding(name, FindingState.GOOD, f"ready at {url}"), version


def _version_of(body: str) -> str | None:
    try:
        return str(json.loads(body)["version"])
    except (ValueError, KeyError, TypeError):
        return None


def reason_of(body: str) -> str:
    """Of a problem document its detail; of what is none, as it stands."""
    try:
        return str(json.loads(body)["detail"])[:REASON_CHARACTERS_MAX]
    except (ValueError, KeyError, TypeError):
        return body.strip()[:REASON_CHARACTERS_MAX]


async def _files(http: httpx.AsyncClient, url: str) -> OpenFiles | None:
    """As the process states them; None where it cannot (no /proc), or does not answer."""
    try:
        metrics = read_scrape((await fetch(http, f"{url}/metrics")).text, time.monotonic(), ready=True)
    except _FAILED:
        return None
    count, most = metrics.whole("process_open_fds"), metrics.whole("process_max_fds")
    return None if count is None or most is None else OpenFiles(count, most)
