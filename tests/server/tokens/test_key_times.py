"""When fetched keys are fetched again, how long they are used, and how long anybody waits for them."""

import asyncio
import json
from contextlib import suppress

import pytest

from server.errors import KeysUnavailable
from server.tokens.keys import FetchedKeys
from tests.server.tokens.provider import jwk, private_key
from tests.simulation.loop import on_virtual_clock

OLD, NEW = jwk(private_key("EC", "old"), "old"), jwk(private_key("EC", "new"), "new")
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 24 * 3600.0
AT_ONCE_S = 0.1


class Issuer:
    """``away``: it refuses at once. ``answer_s``: how long it takes. ``asked``: when it was."""

    def __init__(self, *keys: dict[str, object]) -> None:
        self.keys = list(keys)
        self.away = False
        self.answer_s = 0.01
        self.asked: list[float] = []
        self.fetched = FetchedKeys("provider", self._fetch)
        self._running = asyncio.create_task(self.fetched.run())

    async def knows(self, key_id: str) -> bool | None:
        """None: that cannot be said now."""
        with suppress(KeysUnavailable):
            return await self.fetched.find(key_id) is not None
        return None

    async def seconds_until(self, key_id: str, *, known: bool) -> float:
        began = now()
        while await self.knows(key_id) is not known:
            assert now() - began < HOUR_S
            await asyncio.sleep(1)
        return now() - began

    async def _fetch(self) -> bytes:
        self.asked.append(now())
        await asyncio.sleep(self.answer_s)
        if self.away:
            raise KeysUnavailable("away")
        return json.dumps({"keys": self.keys}).encode()


def now() -> float:
    return asyncio.get_running_loop().time()


@on_virtual_clock
async def test_a_withdrawn_key_proves_nothing_after_five_minutes_although_nobody_asks_for_others() -> None:
    issuer = Issuer(OLD)
    assert await issuer.knows("old")
    issuer.keys = []
    assert await issuer.seconds_until("old", known=False) < 5.5 * MINUTE_S + 1


@on_virtual_clock
async def test_processes_that_start_together_do_not_fetch_together_for_ever() -> None:
    issuers = [Issuer(OLD) for _ in range(10)]
    await asyncio.sleep(HOUR_S)
    assert all(10 <= len(issuer.asked) <= 15 for issuer in issuers)
    assert len({round(issuer.asked[-1]) for issuer in issuers}) > 1


@on_virtual_clock
async def test_however_many_unknown_ids_there_are_the_issuer_is_asked_twice_a_minute_at_most() -> None:
    issuer = Issuer(OLD)
    for number in range(600):
        assert await issuer.knows(f"unknown-{number}") is False
        await asyncio.sleep(1)
    assert len(issuer.asked) <= 2 * 10 + 4, "with its refreshes"
    issuer.keys = [OLD, NEW]
    assert await issuer.seconds_until("new", known=True) < 0.5 * MINUTE_S + 2


@on_virtual_clock
async def test_who_has_a_key_waits_for_nobody_and_who_has_none_is_told_in_seconds() -> None:
    """While an issuer is silent."""
    issuer = Issuer(OLD)
    assert await issuer.knows("old")
    issuer.answer_s = HOUR_S
    began = now()
    new = asyncio.create_task(issuer.knows("new"))
    await asyncio.sleep(0)
    assert await issuer.knows("old")
    assert now() - began < AT_ONCE_S
    assert await new is None, "that there is no such key, nobody has said"
    assert 5 <= now() - began < 6 + AT_ONCE_S


@on_virtual_clock
async def test_the_last_keys_are_used_for_a_day_while_the_issuer_is_down_and_no_longer() -> None:
    issuer = Issuer(OLD)
    assert await issuer.knows("old")
    issuer.away = True
    good = now()
    while now() < good + DAY_S - 5 * MINUTE_S:
        assert await issuer.knows("old")
        await asyncio.sleep(10 * MINUTE_S)
    await asyncio.sleep(10 * MINUTE_S)
    assert await issuer.knows("old") is None
    issuer.away = False
    assert await issuer.seconds_until("old", known=True) < 0.5 * MINUTE_S + 2


@on_virtual_clock
async def test_without_any_keys_an_issuer_is_tried_every_five_seconds() -> None:
    issuer = Issuer(OLD)
    issuer.away = True
    await asyncio.sleep(MINUTE_S)
    assert 11 <= len(issuer.asked) <= 13
    assert await issuer.knows("old") is None
    issuer.away = False
    await asyncio.sleep(5 + AT_ONCE_S)
    assert await issuer.knows("old")


@pytest.mark.parametrize("answer_s", [0.5, 4.9])
@on_virtual_clock
async def test_whoever_comes_before_the_first_keys_has_them_with_everybody_else(answer_s: float) -> None:
    issuer = Issuer(OLD)
    issuer.answer_s = answer_s
    assert all(await asyncio.gather(*(issuer.knows("old") for _ in range(100))))
    assert len(issuer.asked) == 1
