"""From every broker alike: each command done once and answered alike, in order, and what cannot be done laid aside."""

from collections import Counter
from typing import Any

import orjson
import pytest
from prometheus_client import generate_latest

from followers.intake.command import parse
from followers.intake.process import Intake
from server.metrics import create_registry
from tests.followers.intake.queues import QUEUES, Queue, Told
from tests.followers.intake.running import Sent, command, event_of, readiness, running, sale, until_ready
from tests.harness.metrics import described_metrics, exported_metrics
from tests.harness.system import ResidentSystem
from tests.harness.waiting import wait_until
from tests.ledger.api import Api

LOCATION = "berlin"
SKUS = ("A", "B", "C", "D")

pytestmark = pytest.mark.usefixtures("processes")


@pytest.fixture(params=QUEUES)
async def queue(request: pytest.FixtureRequest, stream_prefix: str) -> Queue:
    broker = request.getfixturevalue(request.param)
    made = QUEUES[request.param](broker.address, stream_prefix)
    await made.make()
    return made


def settings(queue: Queue, prefix: str) -> dict[str, object]:
    return {"STOCKWIRE_INTAKE_FROM": queue.url, "STOCKWIRE_INTAKE_PREFIX": prefix}


async def until_decided(intake: Intake, commands: int) -> None:
    counts = intake.applying.counts

    async def decided() -> bool:
        return counts.done + counts.refused + counts.dead >= commands and not intake.applying.in_flight

    await wait_until(decided, what=f"{commands} commands are decided")


async def until_told(queue: Queue, results: int) -> list[Told]:
    async def told() -> list[Told] | None:
        found = await queue.results()
        return found if len(found) >= results else None

    return await wait_until(told, what=f"{results} results") or []


def key_of(sent: Sent) -> str:
    event = event_of(sent)
    return parse(event.attributes, event.data).key


async def test_each_command_is_done_once_and_answered_alike_however_often_it_comes(
    system: ResidentSystem, queue: Queue, stream_prefix: str
) -> None:
    await system.start_ledger()
    once = [sale(str(number), LOCATION, SKUS[number % 4]) for number in range(40)]
    again = [one for number, one in enumerate(once) for _ in range(number % 3 + 1)]
    more = sale("too many", LOCATION, "A", 1_000)
    stranger = sale("unknown", LOCATION, "stranger")
    nonsense = Sent({"id": "4711"}, b"\x00nonsense")
    async with Api(system.ledger_url, await system.admin_key()) as api:
        for sku in SKUS:
            await api.stock(LOCATION, sku, 100)
        async with running(system, **settings(queue, stream_prefix)) as intake:
            await until_ready(intake)
            await queue.send([*again, more, more, stranger, nonsense])
            await until_decided(intake, len(again) + 4)
        for sku in SKUS:
            events = (await api.get(f"/v1/levels/{LOCATION}/{sku}/events", params={"limit": 100})).json()["events"]
            sold = [one["reference"] for one in events if one["kind"] == "sale"]
            assert sold == [one.id for one in once if orjson.loads(one.data)["sku"] == sku], "in order, each once"
    results = await queue.results()
    told = {(one.headers["id"], one.headers["causationid"], one.value) for one in results}
    assert Counter(one for _, one, _ in told) == Counter(one.id for one in [*once, more]), "answered alike"
    assert len(results) == len(again) + 2
    assert {one for one, _, _ in told} == {key_of(one) for one in [*once, more]}
    statuses = {id_: orjson.loads(value)["status"] for _, id_, value in told}
    assert statuses == {**dict.fromkeys((one.id for one in once), 201), "too many": 409}
    dead = {one.headers["id"]: one for one in await queue.dead()}
    assert dead.keys() == {"unknown", "4711"}
    assert dead["4711"].value == nonsense.data
    assert dead["unknown"].value == stranger.data
    assert orjson.loads(dead["unknown"].headers["stockwire-problem"])["type"] == "not-found"
    assert orjson.loads(dead["4711"].headers["stockwire-problem"])["field"] == "specversion"


async def test_commands_wait_for_a_ledger_that_is_away_and_keep_their_order(
    system: ResidentSystem, queue: Queue, stream_prefix: str
) -> None:
    ledger = await system.start_ledger()
    key = await system.admin_key()
    async with Api(ledger.url, key) as api:
        await api.stock(LOCATION, "A", 100)
    async with running(system, **settings(queue, stream_prefix)) as intake:
        await until_ready(intake)
        await ledger.stop()
        await queue.send([sale(str(number), LOCATION, "A") for number in range(20)])

        async def noticed() -> bool:
            return "the ledger does not answer" in (await readiness(intake) or "")

        await wait_until(noticed)
        await ledger.start()
        await until_decided(intake, 20)
        assert await readiness(intake) is None
    async with Api(ledger.url, key) as api:
        events = (await api.get(f"/v1/levels/{LOCATION}/A/events", params={"limit": 100})).json()["events"]
    assert [one["reference"] for one in events[1:]] == [str(number) for number in range(20)]
    assert len(await queue.results()) == 20


async def test_a_key_that_may_not_do_it_stops_it_and_says_which_scope(
    system: ResidentSystem, queue: Queue, stream_prefix: str
) -> None:
    await system.start_ledger()
    key = await system.key("short", "stock:write:hamburg")
    async with running(system, **settings(queue, stream_prefix), STOCKWIRE_INTAKE_KEY=key) as intake:
        await until_ready(intake)
        await queue.send([sale("1", LOCATION, "A")])

        async def stopped() -> bool:
            return f"lacks the scope stock:write:{LOCATION}" in (await readiness(intake) or "")

        await wait_until(stopped)
    assert await queue.results() == []
    assert await queue.dead() == []
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock(LOCATION, "A", 100)
    async with running(system, **settings(queue, stream_prefix)) as intake:
        await until_decided(intake, 1)
    assert len(await queue.results()) == 1, "it was kept for a key that may"


async def test_what_a_reservation_began_is_gone_on_with_by_commands(
    system: ResidentSystem, queue: Queue, stream_prefix: str
) -> None:
    await system.start_ledger()
    line = {"sku": "A", "location": LOCATION, "quantity": 2}
    async with Api(system.ledger_url, await system.admin_key()) as api:
        await api.stock(LOCATION, "A", 100)
        async with running(system, **settings(queue, stream_prefix)) as intake:
            await until_ready(intake)
            await queue.send([command("reservation", "1", {"lines": [line]}, partitionkey="order-1")])
            await until_decided(intake, 1)
            (begun,) = await until_told(queue, 1)
            id_ = orjson.loads(begun.value)["body"]["reservation"]["id"]
            steps: list[tuple[str, Any]] = [
                ("reservation.lines", {"lines": [{**line, "quantity": 3}]}),
                ("reservation.commit", {}),
                ("reservation.fulfil", {"lines": [{**line, "quantity": 1}]}),
                ("reservation.cancel", {}),
            ]
            await queue.send(
                [command(name, name, {"reservation": id_, **data}, partitionkey="order-1") for name, data in steps]
            )
            await until_decided(intake, 5)
            text = _metrics(intake)
        level = (await api.get(f"/v1/levels/{LOCATION}/A")).json()
    assert (level["on_hand"], level["reserved"]) == (99, 0)
    states = [orjson.loads(one.value)["body"]["reservation"]["state"] for one in await queue.results()]
    assert states == ["pending", "pending", "committed", "committed", "fulfilled"]
    assert described_metrics("Intake") == exported_metrics(text)


def _metrics(intake: Intake) -> str:
    return generate_latest(create_registry(intake.operated)).decode()
