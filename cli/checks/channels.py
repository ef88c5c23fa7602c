"""What `stockwire channels` and `exporter` say is wrong, and that channels answer where the ledger says they are."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from cli import findings
from cli.findings import Finding, Troubles
from cli.top import nodes_of
from cli.trust import trusted
from server.http.page import PageTooLarge, fetch
from server.settings.environment import SettingsError
from stockwire.settings import Settings

TIMEOUT_S = 10.0
_FAILED = (httpx.HTTPError, httpx.InvalidURL, PageTooLarge, ValueError)


async def channels(data: Path, variables: Mapping[str, str], way_in: Settings | None) -> list[Finding]:
    """Nothing where there are none: whoever sends no webhooks need not hear of them."""
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted(variables)) as http:
        told = await asyncio.gather(*(_troubles(http, url) for url in _admin_urls(data, variables)))
        named = None if way_in is None else await _named(http, way_in.url)
        answers = None if named is None else await _answers(http, named)
    found = [] if named is None else [findings.channels_address_finding(named, answers=bool(answers))]
    stated = [troubles for troubles in told if troubles is not None]
    return [*found, *findings.troubles_findings(stated)] if stated else found


def _admin_urls(data: Path, variables: Mapping[str, str]) -> list[str]:
    try:
        return [*nodes_of([], data, variables)().values()]
    except SettingsError:
        return []


async def _troubles(http: httpx.AsyncClient, url: str) -> Troubles | None:
    """None of a process that follows nothing, or does not answer."""
    try:
        answer = await fetch(http, f"{url}/troubles")
        if not answer.ok:
            return None
        stated: dict[str, Any] = json.loads(answer.text)
        found = [(str(one["detail"]), str(one["fix"])) for one in stated["troubles"]]
        return str(stated["check"]), found
    except (*_FAILED, KeyError, TypeError):
        return None


async def _named(http: httpx.AsyncClient, ledger_url: str) -> str | None:
    """By the ledger's discovery; None where it names none, or does not answer: that is another finding."""
    try:
        answer = await fetch(http, f"{ledger_url}/v1/discovery")
        named = json.loads(answer.text).get("channels") if answer.ok else None
    except (*_FAILED, AttributeError):
        return None
    return named if isinstance(named, str) else None


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await fetch(http, f"{url}/healthz")).ok
    except _FAILED:
        return False
