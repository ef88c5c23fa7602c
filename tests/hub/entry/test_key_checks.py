"""How soon a hub learns that a key is no longer good, when the broker has told nobody."""

import asyncio
import logging

import pytest

from hub.entry.access import RECHECK_S, Access
from hub.errors import LedgerUnavailable
from hub.feed.ledger_client import LedgerClient
from server.problems import Unauthorized
from server.tokens.keys import FixedKeys
from server.tokens.token_settings import SharedSecret
from server.tokens.verifier import Verifier
from tests.harness.api_keys import TOKEN_SECRET, make_token
from tests.simulation.loop import on_virtual_clock
from wire.tokens import OURS, Principal

ENDS_WITHIN_S = 5.0
"""What ``RECHECK_S`` is chosen for: whatever a revoked key has opened is over by then."""
ANSWER_S = 0.5
"""A ledger under load."""
KEY = "sw_0123456789ab_secret"


class Ledger(LedgerClient):
    """It knows which keys are good, and says so ``ANSWER_S`` after it has looked."""

    def __init__(self, *good: str) -> None:
        self.good = set(good)
        self.away = False
        self.slow = False
        self.asked = 0

    async def good_ids(self, key_ids: list[str]) -> set[str]:  # type: ignore[override]  # a list is what is asked with
        self.asked += 1
        found = self.good & set(key_ids)
        await asyncio.sleep(ANSWER_S)
        if self.away:
            raise LedgerUnavailable("away")
        return found

    async def holder_of(self, key: str) -> Principal | None:
        self.asked += 1
        if self.slow:
            await asyncio.sleep(ANSWER_S)
        return Principal("shop", key, frozenset({"stock:read:*"}), None) if key in self.good else None

    async def holder_of_id(self, key_id: str) -> Principal | None:
        return await self.holder_of(key_id)


class Hub:
    """Its access, with two keys in use; ``ended``: when what each had opened was ended."""

    def __init__(self, ledger: Ledger) -> None:
        verifier = Verifier(SharedSecret(TOKEN_SECRET, OURS), FixedKeys({}))
        self.clock = asyncio.get_running_loop().time
        self.ended: dict[str, float] = {}
        self.access = Access(ledger, verifier, lambda: {"leaver", "stays"} - self.ended.keys(), self._end)
        self._checking = asyncio.create_task(self.access.run())

    def _end(self, key: str) -> None:
        self.ended[key] = self.clock()


@pytest.mark.parametrize("phase_s", [0.0, 0.3, 0.7, 1.1, 1.6, 1.99, 2.01, 2.3, 2.6])
@on_virtual_clock
async def test_a_revocation_that_the_broker_never_told_of_ends_what_is_open_within_5_seconds(phase_s: float) -> None:
    ledger = Ledger("leaver", "stays")
    hub = Hub(ledger)
    await asyncio.sleep(10 * RECHECK_S + phase_s)
    ledger.good.remove("leaver")
    revoked = hub.clock()
    await asyncio.sleep(2 * ENDS_WITHIN_S)
    assert set(hub.ended) == {"leaver"}, "and nothing else"
    assert hub.ended["leaver"] - revoked < ENDS_WITHIN_S


@on_virtual_clock
async def test_a_revocation_that_the_broker_tells_of_ends_at_once_what_is_open_and_whoever_comes() -> None:
    """No ledger is asked for it: the check that comes every 2 s, or what is remembered, must not be what ends it."""
    ledger = Ledger("leaver", "stays", KEY)
    hub = Hub(ledger)
    assert await is_taken(hub.access)
    await asyncio.sleep(RECHECK_S / 4)
    asked = ledger.asked
    hub.access.revoke(KEY)
    assert hub.ended == {KEY: hub.clock()}
    assert not await is_taken(hub.access)
    assert ledger.asked == asked


@on_virtual_clock
async def test_a_doubt_is_looked_into_at_once_and_not_with_the_next_check() -> None:
    ledger = Ledger("leaver", "stays")
    hub = Hub(ledger)
    await asyncio.sleep(RECHECK_S / 4)
    ledger.good.remove("leaver")
    doubted = hub.clock()
    hub.access.doubt()
    await asyncio.sleep(RECHECK_S / 2)
    assert hub.ended["leaver"] - doubted < ANSWER_S + 0.1


@on_virtual_clock
async def test_while_no_ledger_answers_nobody_is_ended_and_the_log_is_not_filled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "hub.entry.access")
    ledger = Ledger("stays")
    hub = Hub(ledger)
    ledger.away = True
    await asyncio.sleep(20 * RECHECK_S)
    assert not hub.ended
    assert ledger.asked <= 21, "no oftener than else"
    assert len(caplog.records) == 1
    ledger.away = False
    await asyncio.sleep(ENDS_WITHIN_S)
    assert "leaver" in hub.ended


@pytest.mark.parametrize(("good", "keep_s"), [(True, 10.0), (False, 2.0)], ids=["good", "bad"])
@on_virtual_clock
async def test_what_the_ledger_said_of_a_key_is_kept_for_seconds_and_then_asked_again(
    good: bool, keep_s: float
) -> None:
    """So guessing does not reach the ledger each time, and a revocation that nobody told of ends new connections."""
    ledger = Ledger("leaver", "stays", *([KEY] if good else []))
    hub = Hub(ledger)
    assert await is_taken(hub.access) is good
    ledger.good ^= {KEY}
    began = hub.clock()
    while hub.clock() < began + keep_s - 0.1:
        assert await is_taken(hub.access) is good
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    assert await is_taken(hub.access) is not good


@pytest.mark.parametrize("token", [KEY, make_token("stock:read:*", key=KEY)], ids=["key", "token made with it"])
@on_virtual_clock
async def test_thousands_who_come_at_once_with_one_key_ask_the_ledger_once(token: str) -> None:
    """5,000 requests at once would keep the hub so busy that their own answers came too late."""
    ledger = Ledger("leaver", "stays", KEY)
    ledger.slow = True
    access = Hub(ledger).access
    everybody = [asyncio.create_task(access.principal(token)) for _ in range(5_000)]
    await asyncio.sleep(ANSWER_S / 2)
    everybody[0].cancel()  # whoever came first may leave: the others must not wait for ever
    found = await asyncio.gather(*everybody, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert all(isinstance(one, Principal) for one in found[1:])
    assert ledger.asked == 2, "once, and once more since the first to ask has left"


async def is_taken(access: Access) -> bool:
    try:
        await access.principal(KEY)
    except Unauthorized:
        return False
    return True
