"""The badge: the script that hubs serve to the pages of shops, and the line with which a page loads it."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping

import httpx

from cli import findings
from cli.findings import BadgeScript, Finding
from cli.trust import trusted
from stockwire.settings import Settings

TIMEOUT_S = 5.0
PATH = "/v1/badge.js"


async def badge(variables: Mapping[str, str], way_in: Settings | None) -> list[Finding]:
    """Nothing where no ledger is named."""
    if way_in is None:
        return []
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trusted(variables)) as http:
        try:
            hubs = (await http.get(f"{way_in.url}/v1/discovery")).json()["hubs"]
            reads = [str(hub["read"]) for hub in hubs if hub.get("read")]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
            return []  # other checks say so
        scripts = await asyncio.gather(*(_script(http, read) for read in reads))
    return [findings.badge_finding([script for script in scripts if script is not None])]


async def _script(http: httpx.AsyncClient, read: str) -> BadgeScript | None:
    """None where there is none: a hub of the version before, or one that is away."""
    url = f"{read.rstrip('/')}{PATH}"
    try:
        answer = await http.get(url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    digest = hashlib.sha384(answer.content).digest()
    return BadgeScript(url, base64.b64encode(digest).decode()) if answer.is_success else None
