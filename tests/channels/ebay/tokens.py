"""eBay's OAuth: what the token endpoint gives, and what a token is good for.

https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html
"""

import base64
import binascii
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CLIENT_ID, CLIENT_SECRET = "stockwire-test-PRD-1", "PRD-secret-of-the-test"
REFRESH_TOKEN = "v^1.1#i^1#r^1#refresh-token-of-the-test"
SELLER = {"userId": "seller-of-the-test", "username": "seller_of_the_test"}
BASE = "https://api.ebay.com/oauth/api_scope"
INVENTORY, INVENTORY_READ = f"{BASE}/sell.inventory", f"{BASE}/sell.inventory.readonly"
FULFILLMENT, FULFILLMENT_READ = f"{BASE}/sell.fulfillment", f"{BASE}/sell.fulfillment.readonly"
SUBSCRIPTION = f"{BASE}/commerce.notification.subscription"
SUBSCRIPTION_READ = f"{SUBSCRIPTION}.readonly"
CONSENTED = frozenset({BASE, INVENTORY, INVENTORY_READ, FULFILLMENT, FULFILLMENT_READ, SUBSCRIPTION, SUBSCRIPTION_READ})
"""What the seller allowed the application to do."""
LIFE_S = 7200.0
GRANTS = ("refresh_token", "client_credentials")
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Access:
    """``user``: of a seller, else of the application alone."""

    user: bool
    scopes: frozenset[str]
    until: float


@dataclass(frozen=True, slots=True)
class Failed:
    """In OAuth's own shape. ``rule``: the one that was broken."""

    status: int
    error: str
    description: str
    rule: str


class Tokens:
    """``life_s``: of an access token."""

    def __init__(self, life_s: float = LIFE_S) -> None:
        self._life_s = life_s
        self._given: dict[str, Access] = {}
        self.revoked = False

    def access(self, token: str) -> Access | None:
        """None: unknown, expired or revoked."""
        found = self._given.get(token)
        if found is None or found.until < time.monotonic() or (found.user and self.revoked):
            return None
        return found

    def give(self, headers: Mapping[str, str], form: Mapping[str, str]) -> dict[str, Any] | Failed:
        if not _is_the_client(headers.get("authorization", "")):
            return Failed(401, "invalid_client", "client authentication failed", "oauth.client")
        if headers.get("content-type", "").split(";")[0] != FORM:
            return Failed(400, "invalid_request", "request is missing a required parameter", "oauth.form")
        grant = form.get("grant_type", "")
        if grant not in GRANTS:
            said = "grant type in request is not supported by the authorization server"
            return Failed(400, "unsupported_grant_type", said, "oauth.kind")
        user = grant == "refresh_token"
        if user and (self.revoked or form.get("refresh_token") != REFRESH_TOKEN):
            said = "the provided authorization refresh token is invalid or was issued to another client"
            return Failed(400, "invalid_grant", said, "oauth.grant")
        allowed = CONSENTED if user else frozenset({BASE})
        scopes = frozenset(form["scope"].split()) if "scope" in form else allowed
        if not scopes <= allowed:
            said = "The requested scope is invalid, unknown, malformed, or exceeds the scope granted to the client"
            return Failed(400, "invalid_scope", said, "oauth.scope")
        return self._mint(user, scopes)

    def _mint(self, user: bool, scopes: Iterable[str]) -> dict[str, Any]:
        token = f"v^1.1#i^1#{secrets.token_urlsafe(24)}"
        self._given[token] = Access(user, frozenset(scopes), time.monotonic() + self._life_s)
        kind = "User Access Token" if user else "Application Access Token"
        return {"access_token": token, "expires_in": int(self._life_s), "token_type": kind}


def _is_the_client(authorization: str) -> bool:
    scheme, _, encoded = authorization.partition(" ")
    try:
        return scheme == "Basic" and base64.b64decode(encoded).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"
    except (binascii.Error, UnicodeDecodeError):
        return False
