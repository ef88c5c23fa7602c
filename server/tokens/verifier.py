"""The one verifier of tokens, for ledgers and hubs."""

import asyncio
import time
from collections.abc import Callable

from server.tokens.key_set import ALGORITHMS
from server.tokens.keys import FetchedKeys, Keys
from server.tokens.token_settings import SharedSecret, TokenSettings
from wire.tokens import SHARED_SECRET, BadToken, Issuer, Principal, read_unproven, verify


class Verifier:
    """Raises BadToken, ExpiredToken, or KeysUnavailable when it cannot say. Says nothing about revoked API keys."""

    def __init__(self, settings: TokenSettings, ours: Keys, clock: Callable[[], float] = time.time) -> None:
        """``ours``: the public keys of ledgers that sign; not used with a shared secret. Within a running loop."""
        self._clock = clock
        self._secret = settings.secret if isinstance(settings, SharedSecret) else None
        self._ours = settings.ours
        self._issuers: dict[str, tuple[Issuer, Keys, tuple[str, ...]]] = {}
        if not isinstance(settings, SharedSecret):
            from server.tokens.endpoint import (
                Endpoint,  # brings an HTTP client: a quarter of what a ledger loads at its start
            )

            provider = FetchedKeys(settings.issuer.name, Endpoint(settings.jwks_url))
            self._issuers[settings.issuer.name] = (settings.issuer, provider, settings.algorithms)
            self._issuers[settings.ours.name] = (settings.ours, ours, ALGORITHMS)

    async def principal(self, token: str) -> Principal:
        if self._secret is not None:
            return verify(token, self._secret, SHARED_SECRET, self._ours, self._clock())
        unproven = read_unproven(token)
        # Each issuer has its own keys: the key of one proves nothing about what another is said to have signed.
        if unproven.issuer not in self._issuers:
            raise BadToken("iss is nobody whose tokens are taken here")
        issuer, keys, algorithms = self._issuers[unproven.issuer]
        if unproven.algorithm not in algorithms:
            raise BadToken(f"alg must be one of {', '.join(algorithms)}")
        if not unproven.key_id:
            raise BadToken("kid is required")
        found = await keys.find(unproven.key_id)
        if found is None:
            raise BadToken("kid is no key of this issuer")
        if unproven.algorithm not in found.algorithms:
            raise BadToken("alg is not that of the key")
        return verify(token, found.key, unproven.algorithm, issuer, self._clock())

    async def run(self) -> None:
        """Keeps the keys of the issuers fresh. Until cancelled; with a shared secret there is nothing to do."""
        async with asyncio.TaskGroup() as tasks:
            for issuer, keys, _ in self._issuers.values():
                tasks.create_task(keys.run(), name=f"keys of {issuer.name}")
