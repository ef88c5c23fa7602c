"""Commands wait for a ledger that asks for it, and what only waited is not taken for what ends the process."""

import asyncio
from functools import partial

import orjson
import pytest

from followers.intake.answering import DELIVERIES_MAX, Dead
from followers.intake.applying import Applying, Outcome, Result
from followers.intake.command import COMMAND_BYTES_MAX
from followers.intake.ledger import CommandLedger
from followers.intake.process import SCOPES
from tests.followers.intake.running import Sent, event_of, sale
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S
from tests.ledger.api import Api

LOCATION = "berlin"


def begun(applying: Applying, sent: Sent, told: list[Outcome], deliveries: int = 1) -> asyncio.Task[None]:
    """``told``: gets what became of it."""

    async def tell(outcome: Outcome) -> None:
        told.append(outcome)

    return applying.begin(sent.data, partial(event_of, sent), deliveries, tell)


async def test_a_ledger_that_asks_to_wait_is_waited_for_and_nothing_overtakes(system: ResidentSystem) -> None:
    ledger = await system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=3)
    key = await system.key("intake", *SCOPES)
    once = [sale(str(number), LOCATION, "AB"[number % 2]) for number in range(24)]
    async with Api(ledger.url, await system.admin_key()) as api, CommandLedger(ledger.url, key, None) as client:
        for sku in "AB":
            await api.stock(LOCATION, sku, 100)
        applying = Applying(client, "shop")
        outcomes: list[Outcome] = []
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*(begun(applying, one, outcomes) for one in once))
        assert applying.counts.later
        assert applying.counts.done == 24
        assert applying.trouble is None
        for sku in "AB":
            events = (await api.get(f"/v1/levels/{LOCATION}/{sku}/events", params={"limit": 100})).json()["events"]
            assert [one["reference"] for one in events[1:]] == [str(one) for one in range("AB".index(sku), 24, 2)]
    assert all(isinstance(one, Result) and orjson.loads(one.data)["status"] == 201 for one in outcomes)


@pytest.mark.parametrize("steps", [0, 1], ids=["before its first step", "at work"])
async def test_what_was_given_up_by_a_process_that_lives_on_does_not_count_and_holds_up_nobody(steps: int) -> None:
    async with CommandLedger("http://127.0.0.1:1", "sw_key", None) as client:
        applying = Applying(client, "shop")
        one, other = sale("1", LOCATION, "A"), sale("2", LOCATION, "A")
        told: list[Outcome] = []
        for deliveries in range(1, DELIVERIES_MAX + 2):
            task = begun(applying, one, told, deliveries)
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), "it was begun each time"
            assert applying.in_flight == 0
        await begun(applying, other, told, DELIVERIES_MAX + 1)
        (dead,) = told
        assert isinstance(dead, Dead)
        assert dead.problem["deliveries"] == DELIVERIES_MAX + 1


async def test_what_cannot_be_told_or_is_told_in_vain_is_no_death_of_this_process() -> None:
    async with CommandLedger("http://127.0.0.1:1", "sw_key", None) as client:
        applying = Applying(client, "shop")
        nonsense = Sent({"id": "1"}, b"nonsense")
        told: list[Outcome] = []

        async def refused(outcome: Outcome) -> None:
            told.append(outcome)
            raise ConnectionError

        for deliveries in range(1, 4 * DELIVERIES_MAX):
            if deliveries % 2:
                with pytest.raises(ConnectionError):
                    await applying.begin(nonsense.data, partial(event_of, nonsense), deliveries, refused)
            else:
                await begun(applying, nonsense, told, deliveries)
        assert all(isinstance(one, Dead) and one.problem["type"] == "invalid" for one in told)
        assert applying.in_flight == 0


async def test_a_message_that_no_ledger_would_take_is_laid_aside_unread() -> None:
    async with CommandLedger("http://127.0.0.1:1", "sw_key", None) as client:
        applying = Applying(client, "shop")
        told: list[Outcome] = []
        await begun(applying, Sent({"id": "1"}, b" " * (COMMAND_BYTES_MAX + 1)), told)
        (dead,) = told
        assert isinstance(dead, Dead)
        assert "1,048,577 bytes" in dead.problem["reason"]
