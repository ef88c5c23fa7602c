"""Commands wait for a ledger that asks for it, and what only waited is not taken for what ends the process."""

import asyncio
from functools import partial

import orjson

from followers.intake.answering import DELIVERIES_MAX, Dead
from followers.intake.applying import Applying, Result
from followers.intake.command import COMMAND_BYTES_MAX
from followers.intake.ledger import CommandLedger
from followers.intake.process import SCOPES
from tests.followers.intake.running import Sent, event_of, sale
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S
from tests.ledger.api import Api

LOCATION = "berlin"


def entered(applying: Applying, sent: Sent, deliveries: int = 1) -> asyncio.Task[Result | Dead]:
    turn = applying.enter(sent.data, partial(event_of, sent), deliveries)
    return asyncio.create_task(applying.outcome(turn))


async def test_a_ledger_that_asks_to_wait_is_waited_for_and_nothing_overtakes(system: ResidentSystem) -> None:
    ledger = await system.start_ledger(STOCKWIRE_LEDGER_RATE_PER_S=10)
    key = await system.key("intake", *SCOPES)
    once = [sale(str(number), LOCATION, "AB"[number % 2]) for number in range(30)]
    async with Api(ledger.url, await system.admin_key()) as api, CommandLedger(ledger.url, key, None) as client:
        for sku in "AB":
            await api.stock(LOCATION, sku, 100)
        applying = Applying(client, "shop")
        async with asyncio.timeout(PATIENCE_S):
            outcomes = await asyncio.gather(*(entered(applying, one) for one in once))
        assert applying.counts.later
        assert applying.counts.done == 30
        assert applying.trouble is None
        for sku in "AB":
            events = (await api.get(f"/v1/levels/{LOCATION}/{sku}/events", params={"limit": 100})).json()["events"]
            assert [one["reference"] for one in events[1:]] == [str(one) for one in range("AB".index(sku), 30, 2)]
    assert all(isinstance(one, Result) and orjson.loads(one.data)["status"] == 201 for one in outcomes)


async def test_what_was_given_up_by_a_process_that_lives_on_does_not_count() -> None:
    async with CommandLedger("http://127.0.0.1:1", "sw_key", None) as client:
        applying = Applying(client, "shop")
        one, other = sale("1", LOCATION, "A"), sale("2", LOCATION, "A")
        for deliveries in range(1, DELIVERIES_MAX + 2):
            task = entered(applying, one, deliveries)
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled(), "it was begun each time"
        dead = await entered(applying, other, DELIVERIES_MAX + 1)
        assert isinstance(dead, Dead)
        assert dead.problem["deliveries"] == DELIVERIES_MAX + 1
        assert applying.in_flight == 0


async def test_a_message_that_no_ledger_would_take_is_laid_aside_unread() -> None:
    async with CommandLedger("http://127.0.0.1:1", "sw_key", None) as client:
        applying = Applying(client, "shop")
        dead = await entered(applying, Sent({"id": "1"}, b" " * (COMMAND_BYTES_MAX + 1)))
        assert isinstance(dead, Dead)
        assert "1,048,577 bytes" in dead.problem["reason"]
