"""Origins: that the pages which are allowed get an answer of the ledger and of every hub."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Origin, Subprotocol

from cli import findings
from cli.findings import Answered, Finding, FindingState
from cli.trust import trusted
from server.settings.environment import Environment, SettingsError
from stockwire.settings import Settings
from wire.messages import SUBPROTOCOL

TIMEOUT_S = 5.0
ORIGINS_MAX = 5
"""Of the list, so many are tried: each is a connection to every process."""
ANY_PAGE = "https://any-page.example"


async def origins(variables: Mapping[str, str], way_in: Settings | None) -> list[Finding]:
    try:
        allowed = Environment(variables).origins("STOCKWIRE_ALLOWED_ORIGINS")
    except SettingsError as error:
        return [Finding("origins", FindingState.FAILED, str(error), "such as https://shop.example")]
    if not allowed or way_in is None:
        return [findings.origins_finding(allowed, [])]
    trust = trusted(variables)
    async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=trust) as http:
        tried = [ANY_PAGE if origin == "*" else origin for origin in allowed[:ORIGINS_MAX]]
        answers = await _ask_all(http, way_in.url, tried, trust)
    return [findings.origins_finding(allowed, answers)]


async def _ask_all(
    http: httpx.AsyncClient, ledger: str, tried: Sequence[str], trust: ssl.SSLContext | bool
) -> list[Answered]:
    """Who cannot be reached is left out here: other checks say so."""
    try:
        hubs = (await http.get(f"{ledger}/v1/discovery")).json()["hubs"]
        streams = [str(hub["stream"]) for hub in hubs]
        reads = [str(hub["read"]) for hub in hubs if hub.get("read")]
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError):
        return []
    asked = [_over_http(http, "the ledger", f"{ledger}/v1/discovery", origin) for origin in tried]
    for origin in tried:
        asked += [_over_http(http, f"the hub at {_place(read)}", f"{read}/healthz", origin) for read in reads]
        asked += [_over_websocket(f"the hub at {_place(stream)}", stream, origin, trust) for stream in streams]
    return [answer for answer in await asyncio.gather(*asked) if answer is not None]


async def _over_http(http: httpx.AsyncClient, who: str, url: str, origin: str) -> Answered | None:
    try:
        answer = await http.get(url, headers={"Origin": origin})
    except (httpx.HTTPError, httpx.InvalidURL):
        return None
    return Answered(who, origin, answer.headers.get("access-control-allow-origin") in (origin, "*"))


async def _over_websocket(who: str, url: str, origin: str, trust: ssl.SSLContext | bool) -> Answered | None:
    try:
        async with connect(
            url,
            origin=Origin(origin),
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            open_timeout=TIMEOUT_S,
            close_timeout=TIMEOUT_S,
            proxy=None,
            ssl=trust if url.lower().startswith("wss:") else None,
        ):
            return Answered(who, origin, True)
    except InvalidStatus as refused:
        return Answered(who, origin, False) if refused.response.status_code == httpx.codes.FORBIDDEN else None
    except (OSError, TimeoutError, InvalidHandshake, ValueError):
        return None


def _place(url: str) -> str:
    return urlsplit(url).netloc
