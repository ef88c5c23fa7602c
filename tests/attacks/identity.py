"""Attacks by somebody who is not who they say, or may not do what they ask."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import httpx

from tests.attacks.attack import Met, Target, attack
from tests.harness.api_keys import make_token
from tests.harness.stream import open_stream
from tests.harness.waiting import PATIENCE_S
from wire.tokens import STOCKWIRE

FORBIDDEN_SCOPES = ("stock:write:*", "admin")
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
"""
"""Of RFC 8037, appendix A: anybody has it."""


@attack("a client of another tenant: subscribe, resume, snapshot, reads, feed", "error forbidden, 403, whole snapshot")
async def another_tenant(target: Target, met: Met) -> None:
    async with open_stream(target.streams[0], target.key) as stream:
        asked: list[dict[str, Any]] = [
            {"location": target.foreign},
            {"location": target.foreign, "skus": ["S0"]},
            {"location": target.foreign, "since": target.position},
            {"location": "*"},
            {"location": "a-location-that-does-not-exist"},
        ]
        for selection in asked:
            request = await stream.request("subscribe", **selection)
            answer = await stream.expect("error", id=request)
            met[f"error {answer['code']}"] += 1
        _, snapshot = await stream.subscribe(target.location, since=target.position)
        met["recovered" if snapshot["recovered"] else "whole snapshot"] += 1
        foreign = [level for level in snapshot["levels"] if level["location"] != target.location]
        if foreign:
            met["foreign levels"] += len(foreign)
    skus = f"{target.foreign}/S0"
    for base in (*target.reads, target.ledger):
        for path in (skus, "x/S0"):
            await met.http("GET", f"{base}/v1/levels/{path}", target.key)
        await met.http("GET", f"{base}/v1/levels?location={target.foreign}", target.key)
        await met.http("POST", f"{base}/v1/levels/query", target.key, json={"keys": [[target.foreign, "S0"]]})
    await met.http("GET", f"{target.reads[0]}/v1/levels/stream?location={target.foreign}", target.key)
    await met.http("GET", f"{target.ledger}/v1/events", target.key)
    await met.http("GET", f"{target.ledger}/v1/levels/{skus}/events", target.key)


@attack("a forged token", "401, close 4001")
async def forged(target: Target, met: Met) -> None:
    await _everywhere(target, met, make_token("stock:read:*", secret="x" * 32))


@attack("an expired token", "401, close 4104")
async def expired(target: Target, met: Met) -> None:
    await _everywhere(target, met, make_token("stock:read:*", ttl_s=-60))


@attack("a token with `alg: none`", "401, close 4001")
async def algorithm_none(target: Target, met: Met) -> None:
    for algorithm in ("none", "None", "NONE"):
        await _everywhere(target, met, _token({"alg": algorithm, "typ": "JWT"}, None))


@attack("a token signed by HMAC over a public key", "401, close 4001")
async def confused(target: Target, met: Met) -> None:
    for secret in (PUBLIC_KEY.encode(), PUBLIC_KEY.strip().encode(), b""):
        await _everywhere(target, met, _token({"alg": "HS256", "typ": "JWT"}, secret))


@attack("a revoked key, and a token that it made", "401, close 4001")
async def revoked(target: Target, met: Met) -> None:
    """What is open ends, and nothing opens any more."""
    answer = await _ask("POST", f"{target.ledger}/v1/tokens", target.revoked, {"scopes": _scopes(target), "ttl_s": 60})
    token = answer.json()["token"]
    async with open_stream(target.streams[0], target.revoked) as one, open_stream(target.streams[-1], token) as other:
        await _ask("DELETE", f"{target.ledger}/v1/keys/{target.revoked.split('_')[1]}", target.admin)
        await met.ended(one)
        await met.ended(other)
    for credential in (target.revoked, token):
        await _everywhere(target, met, credential)


@attack("a page of another origin", "403, not readable by the page")
async def wrong_origin(target: Target, met: Met) -> None:
    origins = ("https://evil.example", "https://shop.example.evil.example", "null")
    for origin in origins:
        await met.upgrade(target.streams[0], target.key, origin=origin)
        for base in (target.reads[0], target.ledger):
            answer = await _ask("GET", f"{base}/v1/levels?location={target.location}", target.key, origin=origin)
            leave = answer.headers.get("Access-Control-Allow-Origin")
            met["not readable by the page" if leave in (None, "https://shop.example") else "readable"] += 1


@attack("a key in another owner's hands: wider tokens, more keys, revoking others'", "403", "401")
async def wider(target: Target, met: Met) -> None:
    for scope in (*FORBIDDEN_SCOPES, f"stock:read:{target.foreign}", "stock:read:*"):
        await met.http("POST", f"{target.ledger}/v1/tokens", target.key, json={"scopes": [scope]})
    body = {"owner": "evil", "scopes": ["admin"], "name": "evil"}
    await met.http("POST", f"{target.ledger}/v1/keys", target.key, json=body)
    await met.http("GET", f"{target.ledger}/v1/keys", target.key)
    await met.http("DELETE", f"{target.ledger}/v1/keys/{target.foreign_key_id}", target.key)
    answer = await _ask("POST", f"{target.ledger}/v1/tokens", target.key, {"scopes": _scopes(target)})
    await met.http("POST", f"{target.ledger}/v1/tokens", answer.json()["token"], json={"scopes": _scopes(target)})


async def _everywhere(target: Target, met: Met, token: str) -> None:
    for url in target.streams:
        await met.connect(url, token)
    for base in (*target.reads, target.ledger):
        await met.http("GET", f"{base}/v1/levels?location={target.foreign}", token)


async def _ask(method: str, url: str, token: str, body: Any = None, origin: str | None = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} | ({} if origin is None else {"Origin": origin})
    async with httpx.AsyncClient(
        trust_env=False,
        verify=False,
        timeout=PATIENCE_S,
    ) as client:
        return await client.request(method, url, json=body, headers=headers)


def _scopes(target: Target) -> list[str]:
    return [f"stock:read:{target.location}"]


def _token(header: dict[str, str], secret: bytes | None) -> str:
    now = int(time.time())
    claims = {"iss": STOCKWIRE, "aud": STOCKWIRE, "sub": "evil", "key": "evil", "scope": "stock:read:*"}
    signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, claims | {"iat": now, "exp": now + 600}))
    if secret is None:
        return f"{signed}."
    return f"{signed}.{_encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


IDENTITY = (another_tenant, forged, expired, algorithm_none, confused, revoked, wrong_origin, wider)
