"""Ordinary movements are answered without the app, and as the app would answer them: byte for byte.

Two ledgers over databases of their own are told the same. One may take what is ordinary, the other takes nothing.
"""

import asyncio
import contextlib
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from ledger.commit.operation import Operation, Outcome
from ledger.commit.writers import Writers
from ledger.http import connection
from ledger.http.hold_operations import CHANGES
from ledger.http.ordinary import OrdinaryRequests
from ledger.migrations import SHARDS_DEFAULT
from server.http.cycle import Cycle
from server.http.problems import Problems
from server.log import JsonLines
from server.tracing.span import Span, SpanKind
from tests.harness.api_keys import make_token
from tests.harness.chance import ROUNDS, SEED
from tests.harness.metrics import metric_of
from tests.harness.system import Grounds, ResidentSystem, System
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.ledger.api import Api
from tests.ledger.http.requests import HOST, ORIGIN, Requests, sale
from wire.shards import shard_of

GENERATED = 1_000 * ROUNDS
PIPELINES, IN_A_PIPELINE = 100 * ROUNDS, 5
SETTINGS = {"STOCKWIRE_ALLOWED_HOSTS": HOST, "STOCKWIRE_ALLOWED_ORIGINS": ORIGIN, "STOCKWIRE_LEDGER_RATE_PER_S": 0}
LIMITED = {**SETTINGS, "STOCKWIRE_LEDGER_RATE_PER_S": 0.02}
"""One request, and for 50 s no other."""
OF_THE_MOMENT = re.compile(
    rb"(?<=\ndate: )[^\r]*|(?<=;r=)\d+|(?<=retry-after: )\d+|(?<=\"retry_after_s\":)\d+"
    rb"|(?:(?<=\"committed_at\":\")|(?<=\"created_at\":\")|(?<=\"expires_at\":\"))[^\"]*"
)
"""What two ledgers say differently because they say it at different moments."""

SKUS, LOCATIONS = ("A", "B", "ä"), ("berlin", "paris", "closed")

_taken: Counter[int] = Counter()
_taken_of: Counter[str] = Counter()
"""By port, and by the last part of a path."""


@dataclass(eq=False)
class Way:
    """One of the two ledgers, on one connection at a time. ``words``: the keys of its database."""

    system: System
    words: Mapping[str, str] = field(default_factory=dict)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    @property
    def port(self) -> int:
        return urlsplit(self.system.ledger_url).port or 0

    @property
    def taken(self) -> int:
        return _taken[self.port]

    async def tell(self, data: bytes, answers: int = 1, split_at: int | None = None) -> list[bytes]:
        """What is answered, each answer whole; then what came before the end of the connection, if it ended."""
        for word, key in self.words.items():
            data = data.replace(b"{%b}" % word.encode(), key.encode())
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = self._streams = self._streams or await asyncio.open_connection("127.0.0.1", self.port)
            for part in (data,) if split_at is None else (data[:split_at], data[split_at:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0.001 if split_at else 0)  # so that most parts come alone: nothing depends on it
            told: list[bytes] = []
            while len(told) < answers and (answer := await _answer(reader, is_head=data.startswith(b"HEAD"))):
                told.append(OF_THE_MOMENT.sub(b"", answer))
            if len(told) < answers or any(b"\r\nconnection: close\r\n" in answer for answer in told):
                told.append(await reader.read())
                await self.hang_up()
            return told

    async def hang_up(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


@dataclass(frozen=True)
class Both:
    ordinary: Way
    routed: Way

    async def tell(self, data: bytes, answers: int = 1, split_at: int | None = None) -> list[bytes]:
        """Raises AssertionError unless both answer the same."""
        ordinary, routed = await asyncio.gather(
            self.ordinary.tell(data, answers, split_at), self.routed.tell(data, answers, split_at)
        )
        assert ordinary == routed, data
        return ordinary

    async def hang_up(self) -> None:
        await self.ordinary.hang_up()
        await self.routed.hang_up()


async def _answer(reader: asyncio.StreamReader, *, is_head: bool) -> bytes:
    """Empty if the connection ended in front of it."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        return head + (b"" if is_head or length is None else await reader.readexactly(int(length[1])))
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@pytest.fixture(scope="module")
def two_ways(grounds: Grounds) -> Iterator[tuple[System, System]]:
    with _pair(grounds, SETTINGS) as pair:
        yield pair


@pytest.fixture
def limited_ways(grounds: Grounds) -> Iterator[tuple[System, System]]:
    with _pair(grounds, LIMITED) as pair:
        yield pair


@pytest.fixture
def failing_ways(grounds: Grounds) -> Iterator[tuple[System, System]]:
    with _pair(grounds, SETTINGS) as pair:
        for system in pair:
            system.ledgers[0].tracebacks_expected = True  # the fault is logged with where it was
        yield pair


@contextlib.contextmanager
def _pair(grounds: Grounds, settings: Mapping[str, object]) -> Iterator[tuple[System, System]]:
    """The first takes what is ordinary; of the second nothing is taken."""

    async def start(system: System) -> None:
        await system.start_ledger(**settings)
        await _catalog(system)

    with grounds.system(ResidentSystem, start) as ordinary, grounds.system(ResidentSystem, start) as routed:
        take, port = OrdinaryRequests.take, urlsplit(routed.ledger_url).port

        def counted(self: OrdinaryRequests, cycle: Cycle) -> bool:
            server = cycle.transport.get_extra_info("sockname")
            assert server is not None
            taken = server[1] != port and take(self, cycle)
            _taken[server[1] or 0] += taken
            _taken_of[cycle.target.path.rpartition("/")[2]] += taken
            return taken

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(OrdinaryRequests, "take", counted)
            yield ordinary, routed


@pytest.fixture
async def both(two_ways: tuple[System, System]) -> AsyncIterator[Both]:
    both = Both(*[Way(system, await _words(system)) for system in two_ways])
    try:
        yield both
        assert both.routed.taken == 0
    finally:
        await both.hang_up()


async def _words(system: System) -> dict[str, str]:
    admin = await system.admin_key()
    words = {
        "seller": await system.key("seller", "stock:write:*"),
        "berlin": await system.key("clerk", "stock:write:berlin", "stock:read:*"),
        "reader": await system.key("reader", "stock:read:*"),
        "hub": await system.hub_key(),
        "token": make_token("stock:write:*"),
    }
    async with Api(system.ledger_url, admin) as api:
        api.client.headers["Host"] = HOST
        ended = await api.post("/v1/keys", {"owner": "gone", "scopes": ["stock:write:*"]})
        await api.client.delete(f"/v1/keys/{ended.json()['id']}")
    return {**words, "ended": ended.json()["key"]}


async def test_whatever_is_asked_is_answered_in_both_ways_alike(both: Both) -> None:
    requests, seen = Requests(SEED), Counter[bytes]()
    before = [await _counted(way) for way in (both.ordinary, both.routed)]
    for location in ("berlin", "paris"):
        await both.tell(sale(f"stock-{location}", quantity=3_000, location=location))
    for _ in range(GENERATED):
        (answer, *_) = await both.tell(requests.next())
        seen[answer[9:12]] += 1
    assert both.ordinary.taken > GENERATED / 5
    assert _taken_of["reservations"] > GENERATED / 50
    assert sum(_taken_of[name] for name in CHANGES) > GENERATED / 100
    assert {b"201", b"409", b"400", b"401", b"403", b"404", b"422", b"413"} <= set(seen), seen
    after = [await _counted(way) for way in (both.ordinary, both.routed)]
    of_ordinary, of_routed = (now - then for now, then in zip(after, before, strict=True))
    assert of_ordinary == of_routed, "requests are counted by route and outcome, whichever way they went"
    assert GENERATED / 2 < of_ordinary.total() <= GENERATED + 2, "the rest was not HTTP"


@pytest.mark.parametrize("apart_s", [PATIENCE_S, 0.0])
async def test_a_request_that_comes_in_two_parts_is_answered_wherever_it_was_cut(
    both: Both, apart_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``apart_s``: how long a body that does not come with its head is waited for before the app is asked."""
    monkeypatch.setattr(connection, "BODY_APART_S", apart_s)
    head, _, body = sale("cut-000").partition(b"\r\n\r\n")
    before = both.ordinary.taken
    for cut in range(1, len(head) + 4):
        await both.tell(sale(f"cut-{cut:03}", quantity=1), split_at=cut)
    assert both.ordinary.taken > before
    before = both.ordinary.taken
    for cut in range(len(head) + 4, len(head) + 4 + len(body)):
        (answer,) = await both.tell(sale(f"cut-{cut:03}", quantity=1), split_at=cut)
        assert answer.startswith(b"HTTP/1.1 201 ")
    assert both.ordinary.taken > before or not apart_s


async def test_who_hangs_up_between_head_and_body_leaves_no_trace(both: Both) -> None:
    asked = sale("never", quantity=1)
    for cut in (1, 60, 5):
        await both.tell(sale("known", quantity=1))
        await _tell_and_leave(both, asked[:-cut])
    await _nothing_is_under_way(both)
    (answer,) = await both.tell(asked)
    assert b"idempotency-replayed" not in answer


async def test_requests_ahead_of_their_answers_are_answered_in_turn(both: Both) -> None:
    requests = Requests(SEED + 1)
    strange = filter(lambda asked: not asked.startswith(b"HEAD"), iter(requests.next, None))
    for number in range(PIPELINES):
        ordinary = [sale(f"ahead-{number}-{place}", quantity=1) for place in range(IN_A_PIPELINE)]
        ordinary[number % IN_A_PIPELINE] = next(strange)
        await both.tell(b"".join(ordinary), answers=IN_A_PIPELINE)
    assert both.ordinary.taken


async def test_garbage_behind_a_request_ends_the_connection_in_both_ways(both: Both) -> None:
    for garbage in (b"\0\0\0", b"GET / HTTP/9.9\r\n\r\n", b"POST /v1/movements HTTP/1.1\r\n\r\n"):
        await both.tell(sale("key", quantity=1) + garbage, answers=2)
        await both.hang_up()


async def test_a_key_that_is_revoked_is_refused_at_once_in_both_ways(both: Both) -> None:
    revoked = {}
    for way in (both.ordinary, both.routed):
        async with Api(way.system.ledger_url, await way.system.admin_key()) as api:
            api.client.headers["Host"] = HOST
            made = (await api.post("/v1/keys", {"owner": "till", "scopes": ["stock:write:*"]})).json()
            revoked[way] = made["id"]
            way.words = {**way.words, "till": made["key"]}
    for expected in (b"201", b"201"):
        (answer,) = await both.tell(sale(f"till-{expected.decode()}", "{till}", 1))
        assert answer[9:12] == expected
    for way, key in revoked.items():
        async with Api(way.system.ledger_url, await way.system.admin_key()) as api:
            await api.client.delete(f"/v1/keys/{key}", headers={"Host": HOST})
    (answer,) = await both.tell(sale("till-last", "{till}", 1))
    assert answer[9:12] == b"401"


async def test_an_owner_over_its_limit_is_told_so_in_both_ways(limited_ways: tuple[System, System]) -> None:
    both = Both(*[Way(system, {"seller": await system.key("seller", "stock:write:*")}) for system in limited_ways])
    answers = [(await both.tell(sale(f"limited-{number}", quantity=1)))[0][9:12] for number in range(4)]
    assert answers == [b"201", b"429", b"429", b"429"]
    assert both.ordinary.taken
    await both.hang_up()


async def test_who_hangs_up_before_the_answer_leaves_no_trace_but_the_sale(both: Both) -> None:
    """No place of a request under way stays taken. Who is gone before their body was read may have sold nothing: asked
    again, it is sold, and once."""
    gone = [sale(f"gone-{number}", quantity=1) for number in range(20)]
    for asked in gone:
        await both.tell(sale("known", quantity=1))
        await _tell_and_leave(both, asked)
    await _nothing_is_under_way(both)
    for way in (both.ordinary, both.routed):
        answers = [(await way.tell(asked))[0] for asked in gone]
        assert all(answer.startswith(b"HTTP/1.1 201 ") for answer in answers)
        assert any(b"idempotency-replayed: true" in answer for answer in answers)
    await _are_sold(both, [f"gone-{number}" for number in range(20)])


async def test_a_fault_of_ours_is_answered_in_both_ways_alike(
    failing_ways: tuple[System, System], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the headers of all other answers: a page of another origin could not read it without them."""

    def fail(_self: Writers, _operation: Operation) -> asyncio.Future[Outcome]:
        raise RuntimeError("a fault of ours")

    both = Both(*[Way(system, {"seller": await system.key("seller", "stock:write:*")}) for system in failing_ways])
    await both.tell(sale("known", quantity=1))
    with monkeypatch.context() as patch:
        patch.setattr(Writers, "enqueue", fail)
        (answer, *_) = await both.tell(sale("fault", quantity=1))
    assert both.ordinary.taken
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"\r\nvary: Origin\r\n" in answer
    await both.hang_up()
    await _nothing_is_under_way(both)


async def test_a_fault_of_ours_is_answered_and_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an answer the connection would wait for ever, and the place of the request be taken for ever."""
    nothing: Any = None
    requests = OrdinaryRequests(
        access=nothing,
        operations=nothing,
        writers=nothing,
        rate_limits=nothing,
        in_flight=nothing,
        problems=Problems(),
        times=nothing,
        templates=nothing,
        allowed_hosts=(),
        allowed_origins=(),
        body_bytes_max=0,
    )
    outcome: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    outcome.set_result("no outcome")
    monkeypatch.setattr(caplog.handler, "formatter", JsonLines())
    span = Span("POST", SpanKind.SERVER, 1)
    assert requests._parts_of(outcome, 201, span)[0] == requests._parts_of(outcome, 201, None)[0] == 500
    traced, untraced = (json.loads(line) for line in caplog.text.splitlines())
    assert traced["event"] == untraced["event"] == "an_ordinary_request_could_not_be_answered"
    assert (traced["trace_id"], untraced.get("trace_id")) == (span.trace.trace_id, None)


async def _counted(way: Way) -> Counter[str]:
    """Requests so far, by their labels."""
    async with httpx.AsyncClient(trust_env=False) as client:
        exported = (await client.get(f"{way.system.ledgers[0].admin}/metrics")).text
    name = "stockwire_ledger_request_seconds_count"
    lines = [line.rpartition(" ") for line in exported.splitlines() if line.startswith(name)]
    return Counter({labels: int(float(value)) for labels, _, value in lines})


async def _are_sold(both: Both, keys: Sequence[str]) -> None:
    for way in (both.ordinary, both.routed):
        connection = await asyncpg.connect(way.system.database_url)

        async def all_are(connection: asyncpg.Connection = connection) -> bool:
            sold = await connection.fetchval("select count(*) from operation where key = any($1)", keys)
            return bool(sold == len(keys))

        try:
            await wait_until(all_are)
        finally:
            await connection.close()


async def _nothing_is_under_way(both: Both) -> None:
    for way in (both.ordinary, both.routed):

        async def nothing(way: Way = way) -> bool:
            return await metric_of(way.system.ledgers[0], "stockwire_ledger_in_flight") == 0

        await wait_until(nothing)


async def _tell_and_leave(both: Both, data: bytes) -> None:
    for way in (both.ordinary, both.routed):
        assert way._streams is not None
        way._streams[1].write(data.replace(b"{seller}", way.words["seller"].encode()))
        await way._streams[1].drain()
    await both.hang_up()


async def _catalog(system: System) -> None:
    """By the database: an owner with a limit could not."""
    connection = await asyncpg.connect(system.database_url)
    try:
        for sku in SKUS:
            await connection.execute("insert into item (sku, name) values ($1, $1) on conflict do nothing", sku)
        for location in LOCATIONS:
            place = "insert into location values ($1, $1, $2) on conflict do nothing"
            await connection.execute(place, location, shard_of(location, SHARDS_DEFAULT))
    finally:
        await connection.close()
