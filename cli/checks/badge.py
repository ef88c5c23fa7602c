"""The badge: the script that hubs serve to the pages of shops, and the line with which a page loads it."""

import asyncio
import base64
import hashlib
from collections.abc import Mapping

import httpx

from cli import findings
from cli.checks.origins import ANY_PAGE
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
        page = _page(variables)
        scripts = await asyncio.gather(*(_script(http, read.rstrip("/"), page) for read in reads))
    return [findings.badge_finding([script for script in scripts if script is not None])]


def _page(variables: Mapping[str, str]) -> str:
    """An origin that is allowed, as far as it is known here; other checks say what is wrong with the setting."""
    named = variables.get("STOCKWIRE_ALLOWED_ORIGINS", "").split(",")[0].strip()
    return ANY_PAGE if named == "*" else named


async def _script(http: httpx.AsyncClient, read: str, page: str) -> BadgeScript | None:
    """None where there is none: a hub of the version before, or one that is away."""
    try:
        answer = await http.get(f"{read}{PATH}")
        # Without a location it is refused either way: a visitor for that, others for their missing key
        visit = await http.head(f"{read}/v1/levels/stream?view=public", headers={"Origin": page})
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    digest = base64.b64encode(hashlib.sha384(answer.content).digest()).decode()
    visitors = visit.status_code != httpx.codes.UNAUTHORIZED
    return BadgeScript(f"{read}{PATH}", digest, visitors) if answer.is_success else None
