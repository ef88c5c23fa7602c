"""Movements that go to the ledger together are answered as if each had gone alone."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any

import orjson
import pytest

from followers.intake.answering import Answer
from followers.intake.batches import BYTES_MAX, COMMANDS_MAX, MANY, Batches, replies_of
from followers.intake.command import Command, parse
from followers.intake.ledger import CommandLedger, Reply
from followers.intake.process import SCOPES
from followers.intake.result import data_of
from server.http.ledger_api import LedgerAway
from tests.followers.intake.running import command, event_of
from tests.harness.system import ResidentSystem
from tests.harness.waiting import PATIENCE_S
from tests.ledger.api import Api

HELD = "A"


class CountedLedger(CommandLedger):
    """Counts what goes out. ``held``: until then nothing of HELD does, whose command sets ``begun``."""

    alone = 0
    together = 0
    held: asyncio.Event | None = None
    begun: asyncio.Event | None = None

    async def send(self, command: Command) -> Reply:
        self.alone += 1
        if self.held is not None and self.begun is not None and command.data["sku"] == HELD:
            self.begun.set()
            await self.held.wait()
        return await super().send(command)

    async def post(self, path: str, body: bytes) -> Reply:
        self.together += 1
        return await super().post(path, body)


@pytest.fixture
async def ledger(system: ResidentSystem) -> AsyncIterator[CountedLedger]:
    await system.start_ledger()
    async with CountedLedger(system.ledger_url, await system.key("intake", *SCOPES), None) as ledger:
        yield ledger


@pytest.fixture
async def api(system: ResidentSystem, ledger: CountedLedger) -> AsyncIterator[Api]:
    async with Api(system.ledger_url, await system.admin_key()) as api:
        yield api


@pytest.fixture
async def place(api: Api) -> str:
    """A location with ten of each of A to H, and nothing of Z."""
    name = f"batches-{secrets.token_hex(4)}"
    for sku in "ABCDEFGH":
        await api.stock(name, sku, 10)
    await api.stock(name, "Z", 0)
    return name


def line(place: str, sku: str, quantity: int = -1, **more: Any) -> dict[str, Any]:
    return {"location": place, "sku": sku, "quantity": quantity, "kind": "sale", **more}


def moved(data: Any) -> Command:
    event = event_of(command("movement", secrets.token_hex(8), data))
    return parse(event.attributes, event.data)


async def together(ledger: CountedLedger, commands: Sequence[Command]) -> list[tuple[int, bytes]]:
    batches = Batches(ledger)
    replies = await asyncio.gather(*map(batches.send, commands))
    return [(reply.status, reply.body) for reply in replies]


async def alone(ledger: CountedLedger, commands: Sequence[Command]) -> list[tuple[int, bytes]]:
    return [(reply.status, reply.body) for reply in [await ledger.send(one) for one in commands]]


def told(replies: list[tuple[int, bytes]]) -> list[bytes]:
    return [data_of(Answer(status, body)) for status, body in replies]


async def test_each_is_answered_as_alone_and_a_repeat_alone_gets_the_same_bytes(
    ledger: CountedLedger, place: str
) -> None:
    commands = [
        moved(line(place, "A", reason="said", reference="Zoë 4711", occurred_at="2026-11-22T10:00:00+01:00")),
        moved({"lines": [line(place, "B"), line(place, "B", -2), line(place, "C", -3)]}),
        moved(line(place, "Z")),
        moved(line(place, "D", expected_version=7)),
        moved(line(place, "unknown")),
        moved(line(place, "E", 2, kind="receipt")),
    ]
    first = await together(ledger, commands)
    assert (ledger.together, ledger.alone) == (1, 0)
    assert [status for status, _ in first] == [201, 201, 409, 409, 404, 201]
    assert told(await alone(ledger, commands)) == told(first)
    assert told(await together(ledger, commands)) == told(first)


@pytest.mark.parametrize(
    ("wrong", "status", "word"),
    [
        ({"quantity": 1}, 422, b'"quantity"'),
        ({"colour": "red"}, 422, b'"colour"'),
        ({"location": "nowhere"}, 404, b"nowhere"),
        ({"sku": None}, 422, b'"sku"'),
    ],
    ids=["wrong sign", "unknown field", "unknown location", "no sku"],
)
async def test_what_is_wrong_with_one_is_said_of_it_alone(
    ledger: CountedLedger, place: str, wrong: dict[str, Any], status: int, word: bytes
) -> None:
    commands = [moved(line(place, "F")), moved({**line(place, "G"), **wrong}), moved(line(place, "H"))]
    replies = await together(ledger, commands)
    assert [one for one, _ in replies] == [201, status, 201]
    assert word in replies[1][1]
    assert (ledger.together, ledger.alone) == (1, 3)
    assert await alone(ledger, commands) == replies


async def test_one_that_is_nested_as_deep_as_json_may_be_hurts_no_other(ledger: CountedLedger, place: str) -> None:
    deep: Any = 1
    for _ in range(250):
        deep = [deep]
    commands = [moved({**line(place, "F"), "reason": deep}), moved({"lines": [deep]}), moved(line(place, "H"))]
    async with asyncio.timeout(PATIENCE_S):
        assert [status for status, _ in await together(ledger, commands)] == [422, 422, 201]


async def test_a_form_that_the_ledger_would_refuse_is_sent_as_it_came(ledger: CountedLedger, place: str) -> None:
    forms: list[Any] = [{"lines": [line(place, "A")], "sku": "A"}, {"lines": "none"}, {"lines": []}]
    replies = await together(ledger, [*map(moved, forms), moved(line(place, "A"))])
    assert [status for status, _ in replies] == [422, 422, 422, 201]


async def test_a_key_of_less_scopes_stops_nothing_but_what_it_may_not(
    ledger: CountedLedger, system: ResidentSystem, place: str
) -> None:
    async with CountedLedger(system.ledger_url, await system.key("one", f"stock:write:{place}"), None) as narrow:
        replies = await together(narrow, [moved(line(place, "A")), moved(line("elsewhere", "A"))])
    assert [status for status, _ in replies] == [201, 403]


async def test_so_many_go_together_and_so_many_bytes(ledger: CountedLedger, place: str) -> None:
    many = [moved(line(place, "E", 1, kind="receipt")) for _ in range(COMMANDS_MAX + 2)]
    assert {status for status, _ in await together(ledger, many)} == {201}
    assert (ledger.together, ledger.alone) == (2, 0)
    large = {"lines": [line(place, "E", 1, kind="receipt", reference="x" * 256) for _ in range(100)]}
    assert len(moved(large).body) * 2 > BYTES_MAX
    assert {status for status, _ in await together(ledger, [moved(large), moved(large), moved(large)])} == {201}
    assert (ledger.together, ledger.alone) == (2, 3)


async def test_one_that_is_alone_goes_as_it_is(ledger: CountedLedger, place: str) -> None:
    assert [status for status, _ in await together(ledger, [moved(line(place, "A"))])] == [201]
    assert (ledger.together, ledger.alone) == (0, 1)


async def test_what_was_given_up_before_it_went_is_not_sent(ledger: CountedLedger, place: str, api: Api) -> None:
    batches = Batches(ledger)
    sent = [asyncio.create_task(batches.send(moved(line(place, sku)))) for sku in "ABC"]
    await asyncio.sleep(0)  # each has its place, and none has gone
    sent[1].cancel()
    assert [(await one).status for one in (sent[0], sent[2])] == [201, 201]
    assert (await api.get(f"/v1/levels/{place}/B")).json()["on_hand"] == 10


async def test_a_ledger_that_is_away_is_away_for_each() -> None:
    async with CountedLedger("http://127.0.0.1:1", "sw_key", None) as away:
        batches = Batches(away)
        found = await asyncio.gather(*(batches.send(moved(line("a", sku))) for sku in "AB"), return_exceptions=True)
    assert [type(one) for one in found] == [LedgerAway, LedgerAway]
    assert found[0] is not found[1]
    assert (away.together, away.alone) == (1, 0)


async def _held(ledger: CountedLedger, batches: Batches, place: str) -> asyncio.Task[Reply]:
    """One that is under way, alone, until ``ledger.held``."""
    ledger.held, ledger.begun = asyncio.Event(), asyncio.Event()
    first = asyncio.create_task(batches.send(moved(line(place, HELD))))
    await ledger.begun.wait()
    return first


async def _let(ledger: CountedLedger, first: asyncio.Task[Reply]) -> None:
    assert ledger.held is not None
    assert not first.done()
    ledger.held.set()
    assert (await first).status == 201


async def test_what_a_slow_request_holds_up_goes_by_itself_after_a_while(ledger: CountedLedger, place: str) -> None:
    batches = Batches(ledger)
    async with asyncio.timeout(PATIENCE_S):
        first = await _held(ledger, batches, place)
        assert (await batches.send(moved(line(place, "B")))).status == 201
        await _let(ledger, first)


async def test_many_do_not_wait_for_one_request_and_fewer_do(
    ledger: CountedLedger, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("followers.intake.batches.PATIENT_S", 10 * PATIENCE_S)
    batches = Batches(ledger)
    async with asyncio.timeout(PATIENCE_S):
        first = await _held(ledger, batches, place)
        sent = [moved(line(place, "E", 1, kind="receipt")) for _ in range(MANY)]
        few = [asyncio.create_task(batches.send(one)) for one in sent[1:]]
        for _ in range(10):
            await asyncio.sleep(0)
        assert (ledger.alone, ledger.together) == (1, 0)
        assert (await batches.send(sent[0])).status == 201
        assert {(await one).status for one in few} == {201}
        await _let(ledger, first)


async def test_what_is_said_to_all_is_asked_once(system: ResidentSystem, place: str) -> None:
    url = system.ledger_url
    async with CountedLedger(url, "sw_unknown", None) as stranger:
        replies = await together(stranger, [moved(line(place, sku)) for sku in "AB"])
    assert [status for status, _ in replies] == [401, 401]
    assert (stranger.together, stranger.alone) == (1, 0)


def test_one_that_has_to_wait_says_for_how_long() -> None:
    asked = [moved(line("a", sku)) for sku in "AB"]
    results = [
        {"type": "overloaded", "status": 503, "retry_after_s": 7, "key": asked[0].key, "replayed": False},
        {"key": asked[1].key, "status": 201, "operation": "o", "events": [], "levels": [], "replayed": True},
    ]
    assert replies_of(asked, Reply(200, orjson.dumps({"results": results}), None)) == [
        Reply(503, b'{"type":"overloaded","status":503,"retry_after_s":7}', 7),
        Reply(201, b'{"operation":"o","events":[],"levels":[]}', None),
    ]


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"{}", b'{"results": []}', b'{"results": [{"key": "a"}, {"key": "b"}]}', b'{"results": 1}'],
)
def test_what_is_no_answer_of_a_ledger_is_what_each_of_them_got(body: bytes) -> None:
    asked = [moved(line("a", sku)) for sku in "AB"]
    assert replies_of(asked, Reply(200, body, None)) == [Reply(200, body, None)] * 2
