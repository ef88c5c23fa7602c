"""Who may ask: tokens, and how an app gets one."""

import secrets
import time
from dataclasses import dataclass, field

CLIENT_ID = "stockwire-client-id"
CLIENT_SECRET = "shpss_of_the_tests_of_stockwire"
"""The app's: it gets tokens with it, and Shopify signs its notices with it."""
STATIC_TOKEN = "shpat_of_an_app_that_was_made_in_the_admin"
LIFE_S = 86_399
SCOPES = ("read_inventory", "write_inventory", "read_products", "read_orders", "read_locations")


@dataclass(slots=True)
class Access:
    """``revoked``: the app is no longer installed."""

    scopes: tuple[str, ...] = SCOPES
    _tokens: dict[str, float] = field(default_factory=dict)

    def grant(self, client_id: str, secret: str) -> dict[str, object] | None:
        """None: refused."""
        if (client_id, secret) != (CLIENT_ID, CLIENT_SECRET):
            return None
        token = f"shpat_{secrets.token_hex(16)}"
        self._tokens[token] = time.monotonic() + LIFE_S
        return {"access_token": token, "scope": ",".join(self.scopes), "expires_in": LIFE_S}

    def is_good(self, token: str) -> bool:
        return token == STATIC_TOKEN or self._tokens.get(token, 0.0) > time.monotonic()

    def forget(self) -> None:
        """All that were granted: a new one has to be asked for."""
        self._tokens.clear()
