"""Login with Amazon: access tokens for a refresh token, or for a scope."""

import secrets
import time
from collections.abc import Mapping

from tests.channels.amazon.refusal import LoginRefusal, Refusal

CLIENT_ID, CLIENT_SECRET = "amzn1.application-oa2-client.1", "amzn1.oa2-cs.v1.1"
REFRESH_TOKEN = "Atzr|seller"
SCOPES = ("sellingpartnerapi::notifications", "sellingpartnerapi::client_credential:rotation")
WRONG = "The access token you provided is revoked, malformed or invalid."


class Tokens:
    """``expires_s``: an hour, unless a test has no time. ``revoked``: the seller took its authorization back."""

    def __init__(self, expires_s: float) -> None:
        self._expires_s = expires_s
        self._until: dict[str, float] = {}
        self._grantless: set[str] = set()
        self.revoked = False

    def issue(self, form: Mapping[str, str]) -> dict[str, object]:
        grant = form.get("grant_type")
        if grant not in ("refresh_token", "client_credentials"):
            raise LoginRefusal("login.grant", "unsupported_grant_type", "The authorization grant type is not supported")
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise LoginRefusal("login.client", "invalid_client", "Client authentication failed")
        if grant == "client_credentials" and form.get("scope") not in SCOPES:
            raise LoginRefusal("login.scope", "invalid_scope", "The request has an invalid scope")
        if grant == "refresh_token" and (form.get("refresh_token") != REFRESH_TOKEN or self.revoked):
            description = "The request has an invalid grant parameter : refresh_token"
            raise LoginRefusal("login.refresh", "invalid_grant", description)
        token = f"Atza|{secrets.token_urlsafe(270)}"
        self._until[token] = time.monotonic() + self._expires_s
        if grant == "client_credentials":
            self._grantless.add(token)
        issued = {"access_token": token, "token_type": "bearer", "expires_in": int(self._expires_s)}
        return issued | ({"refresh_token": REFRESH_TOKEN} if grant == "refresh_token" else {})

    def check(self, token: str | None, *, grantless: bool) -> None:
        if not token:
            raise Refusal("token.missing", "Unauthorized", "Access token is missing in the request header.")
        until = self._until.get(token)
        if until is None or (self.revoked and token not in self._grantless):
            raise Refusal("token.invalid", "Unauthorized", WRONG)
        if until < time.monotonic():
            raise Refusal("token.expired", "Unauthorized", "The access token you provided has expired.")
        if grantless is not (token in self._grantless):
            raise Refusal("token.grantless", "Unauthorized", WRONG)
