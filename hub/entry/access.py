"""Which principal is behind a key or token. This hub checks tokens; the ledger checks API keys,
also those that made tokens.

The ledger's answer is kept for seconds. While no ledger answers, an API key cannot be checked, and its client is turned
away for now. A token is taken on its signature alone; the key that made it is asked about as soon as a ledger is back.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable

from hub.errors import LedgerRefused, LedgerUnavailable
from hub.feed.ledger_client import LedgerClient
from server.errors import KeysUnavailable
from server.lookups import Lookups
from server.problems import Unauthorized
from server.tokens.credentials import KEY_REFUSED, MAKER_REFUSED, is_key, token_holder
from server.tokens.verifier import Verifier
from wire.tokens import TOKEN_BYTES_MAX, Principal

log = logging.getLogger(__name__)

KEEP_S = 10.0  # a revocation that pub/sub lost ends new connections after this
KEEP_BAD_S = 2.0  # so that guessing does not reach the ledger each time
KEPT_MAX = 10_000
REVOKED_MAX = 100_000
RECHECK_S = 2.0  # pub/sub may lose a revocation, which has to end what is open within 5 s: keys in use are asked again


class Access:
    """``principal`` raises Unauthorized, or LedgerUnavailable when a key cannot be checked now.

    ``refusals``, ``checks`` of the ledger and ``revocations`` heard of are counts for the metrics.
    """

    def __init__(
        self,
        ledger: LedgerClient,
        verifier: Verifier,
        in_use: Callable[[], Iterable[str]],
        end: Callable[[str], None],
    ) -> None:
        """``in_use``: the ids of the keys behind the connections of this hub.

        ``end``: called with the id of a key that is no longer good: whatever it opened must end.
        """
        self._ledger = ledger
        self._verifier = verifier
        self._in_use = in_use
        self._end = end
        self._clock = asyncio.get_running_loop().time
        self._by_key = self._lookups(ledger.holder_of)
        self._by_id = self._lookups(ledger.holder_of_id)
        self._revoked: OrderedDict[str, None] = OrderedDict()
        self._recheck = asyncio.Event()
        self._unchecked = False
        self.refusals = 0
        self.checks = 0
        self.revocations = 0

    async def principal(self, token: str) -> Principal:
        try:
            return await self._principal(token)
        except Unauthorized:
            self.refusals += 1
            raise

    async def _principal(self, token: str) -> Principal:
        if len(token) > TOKEN_BYTES_MAX:
            raise Unauthorized("the token is too long")
        found = await (self._of_key(token) if is_key(token) else self._of_token(token))
        if found.key is not None and found.key in self._revoked:
            raise Unauthorized("the API key was revoked")
        if found.expires_at is not None and found.expires_at <= time.time():
            raise Unauthorized("the API key or token has ended", expired=True)
        return found

    def revoke(self, key: str) -> None:
        """The key with this id is no longer good, nor is any token minted with it. May be called again."""
        self.revocations += 1
        self._revoked[key] = None
        self._revoked.move_to_end(key)
        if len(self._revoked) > REVOKED_MAX:
            self._revoked.popitem(last=False)
        self._end(key)

    def doubt(self) -> None:
        """Revocations may have been missed: ask again about every key in use."""
        self._recheck.set()

    async def run(self) -> None:
        """Asks again about the keys in use, after a doubt and every ``RECHECK_S``. Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(RECHECK_S):
                    await self._recheck.wait()
            except TimeoutError:
                pass
            self._recheck.clear()
            keys = sorted(set(self._in_use()))
            if keys:
                await self._check_again(keys)

    async def _check_again(self, keys: list[str]) -> None:
        self.checks += 1
        try:
            good = await self._ledger.good_ids(keys)
        except (LedgerUnavailable, LedgerRefused) as error:
            if not self._unchecked:  # once, not every RECHECK_S
                log.warning("keys in use cannot be checked now reason=%r", str(error))
            self._unchecked = True
            return
        self._unchecked = False
        for key in keys:
            if key not in good:
                log.info("a key in use is no longer good key=%s", key)
                self._by_key.clear()
                self._by_id.clear()
                self._end(key)

    async def _of_token(self, token: str) -> Principal:
        try:
            found = await token_holder(self._verifier, token)
        except KeysUnavailable as error:
            raise LedgerUnavailable(str(error)) from None
        if found.key is None:
            return found  # a provider's: no API key made it
        try:
            minted_by = await self._by_id.get(found.key)
        except LedgerUnavailable:
            self.doubt()
            return found
        if minted_by is None:
            raise Unauthorized(MAKER_REFUSED)
        return found

    async def _of_key(self, text: str) -> Principal:
        found = await self._by_key.get(text)
        if found is None:
            raise Unauthorized(KEY_REFUSED)
        return found

    def _lookups(self, ask: Callable[[str], Awaitable[Principal | None]]) -> Lookups[str, Principal | None]:
        """Everybody who comes with one key, or with tokens of one, waits for the same answer: at a launch they are
        thousands in a second. Raises LedgerUnavailable.
        """

        async def load(asked: str) -> Principal | None:
            self.checks += 1
            try:
                return await ask(asked)
            except LedgerRefused as refused:
                if refused.status in (400, 404, 422):
                    return None  # it does not even look like a key
                raise LedgerUnavailable(str(refused)) from None

        return Lookups(load, entries_max=KEPT_MAX, keep_s=_keep_s, clock=self._clock)


def _keep_s(found: Principal | None) -> float:
    return KEEP_S if found else KEEP_BAD_S
