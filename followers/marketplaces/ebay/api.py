"""How eBay is asked: tokens, and what its answers say of quotas and access."""

import asyncio
import base64
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from followers.marketplaces.ebay.answers import errors_of, read, words_of
from followers.marketplaces.ebay.shapes import Rate, Rates, Token, TokenRefused
from followers.marketplaces.errors import AccessRefused, RemoteAway
from followers.marketplaces.remote import Answer, QuotaSpent, Remote
from followers.marketplaces.terms import DAY_S, Quota

ROOT = "https://api.ebay.com"
INVENTORY, ORDERS, NOTICES, KEYS = "inventory", "orders", "notices", "keys"


def _of_a_day(name: str, calls: int, burst: int, kept: float) -> Quota:
    """``calls`` of a day are never passed, whenever it begins: what comes back in a day is what the burst leaves."""
    return Quota(name, burst, (calls - burst) / DAY_S, kept)


QUOTAS = (
    _of_a_day(INVENTORY, 2_000_000, 20_000, kept=0.2),
    _of_a_day(ORDERS, 100_000, 2_000, kept=0),
    _of_a_day(NOTICES, 9_000, 500, kept=0),
    Quota(KEYS, 10, 1_000 / DAY_S, kept=0),
)
"""https://developer.ebay.com/develop/get-started/api-call-limits: the defaults. NOTICES and KEYS share 10,000; who
sends us notices with keys that eBay does not have uses up KEYS alone."""
RATED = {INVENTORY: "sell.inventory", ORDERS: "sell.fulfillment", NOTICES: "commerce.notification"}
"""Names of resources that getRateLimits has. Tokens are minted 50,000 times a day at most: they live two hours."""
SPENT_S = 300.0
"""How long to wait where eBay says 429 and nobody says until when."""
EARLY_S = 300.0
"""A token is renewed so long before its end."""
OF_NOTICES = "API_NOTIFICATION"
"""Errors of this domain are about a topic or a subscription, not about who asks."""
LITTLE = 0.05
"""Of a day's calls: what is left is told."""


class Api:
    """``root``: https://api.ebay.com, or the sandbox's. A token is renewed once where eBay takes it no more."""

    def __init__(self, remote: Remote, root: str, client_id: str, client_secret: str, refresh_token: str) -> None:
        self.remote = remote
        self._root = root
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._basic = {"authorization": f"Basic {basic}"}
        self._grants = {
            "user": {"grant_type": "refresh_token", "refresh_token": refresh_token},
            "application": {"grant_type": "client_credentials", "scope": "https://api.ebay.com/oauth/api_scope"},
        }
        self._minting = asyncio.Lock()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        quota: str,
        body: object = None,
        urgent: bool = False,
        spare: bool = False,
        changes: bool = False,
        who: str = "user",
    ) -> Answer:
        """``who``: ``user``, the seller, or ``application``. Raises AccessRefused; QuotaSpent on 429."""
        content = None if body is None else orjson.dumps(body)
        token = await self._token(who, stale=None)
        answer = await self._send(method, path, token, quota, urgent, spare, changes, content)
        if answer.status == 401:
            token = await self._token(who, stale=token)
            answer = await self._send(method, path, token, quota, urgent, spare, changes, content)
        if answer.status in (401, 403) and all(one.domain != OF_NOTICES for one in errors_of(answer)):
            raise AccessRefused(f"refuses access: {words_of(answer) or answer.status}")
        if answer.status == 429:
            after_s = await self._spent_s(quota)
            self.remote.buckets[quota].empty_for(after_s)
            raise QuotaSpent(quota, after_s)
        return answer

    async def rates(self) -> dict[str, Rate]:
        """What eBay counts, by quota (https://developer.ebay.com/api-docs/developer/analytics/overview.html)."""
        headers = {"authorization": f"Bearer {await self._token('application', stale=None)}"}
        path = "/developer/analytics/v1_beta/rate_limit/"
        answer = await self.remote.request("GET", f"{self._root}{path}", quota=None, headers=headers)
        if answer.status != 200:
            raise RemoteAway(f"answers {answer.status} where it would say its limits")
        resources = [one for api in read(answer, Rates).rate_limits for one in api.resources if one.rates]
        found = {one.name: one.rates[0] for one in resources}
        return {quota: found[name] for quota, name in RATED.items() if name in found}

    async def feed(self) -> list[str]:
        """Buckets learn what is left; a finding where that is little."""
        findings = []
        for quota, rate in (await self.rates()).items():
            left_s = self.reset_s(rate)
            if rate.remaining < self.remote.buckets[quota].tokens:
                self.remote.buckets[quota].fed(rate.remaining, rate.remaining / left_s)
            if rate.remaining < rate.limit * LITTLE:
                findings.append(
                    f"eBay leaves {rate.remaining} of {rate.limit} calls ({quota}) for {left_s / 3600:.1f} h: ask it"
                    " for more by an Application Growth Check, or let fewer programs use this keyset"
                )
        return findings

    def reset_s(self, rate: Rate) -> float:
        """Seconds until all is there again, within a day."""
        try:
            left_s = (datetime.fromisoformat(rate.reset) - self.remote.now()).total_seconds()
        except (ValueError, TypeError):
            return SPENT_S
        return min(max(left_s, 1.0), DAY_S)

    async def _send(
        self,
        method: str,
        path: str,
        token: str,
        quota: str,
        urgent: bool,
        spare: bool,
        changes: bool,
        content: bytes | None,
    ) -> Answer:
        headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        if content is not None:
            headers["content-type"] = "application/json"
        return await self.remote.request(
            method,
            f"{self._root}{path}",
            quota=quota,
            urgent=urgent,
            spare=spare,
            changes=changes,
            headers=headers,
            body=content,
        )

    async def _spent_s(self, quota: str) -> float:
        """eBay says 429 for the day's calls and for too many at once alike."""
        try:
            rate = (await self.rates()).get(quota)
        except RemoteAway:
            return SPENT_S
        return SPENT_S if rate is None or rate.remaining else self.reset_s(rate)

    async def _token(self, who: str, *, stale: str | None) -> str:
        """The one that is kept, unless it is ``stale``."""
        async with self._minting:
            kept = self.remote.kept_value(who)
            if kept is not None and kept != stale:
                return kept
            answer = await self.remote.request(
                "POST",
                f"{self._root}/identity/v1/oauth2/token",
                quota=None,
                headers=self._basic,
                form=self._grants[who],
            )
            if answer.status in (400, 401):
                refused = read(answer, TokenRefused)
                raise AccessRefused(f"gives no token: {refused.error}: {refused.error_description}")
            if answer.status != 200:
                raise RemoteAway(f"answers {answer.status} where it would give a token")
            token = read(answer, Token)
            self.remote.keep(who, token.access_token, max(token.expires_in - EARLY_S, token.expires_in / 2))
            return token.access_token


def node_of(sku: str, quantity: int, offer_ids: tuple[str, ...]) -> Mapping[str, Any]:
    """Item and offers: a listing shows the smaller quantity of both
    (https://developer.ebay.com/api-docs/sell/static/inventory/bulk-updates.html)."""
    node: dict[str, Any] = {"sku": sku, "shipToLocationAvailability": {"quantity": quantity}}
    if offer_ids:
        node["offers"] = [{"offerId": one, "availableQuantity": quantity} for one in offer_ids]
    return node
