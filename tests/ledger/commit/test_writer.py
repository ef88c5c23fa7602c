"""Races on the commit path over a real database: no effect lost, doubled or torn, whoever else writes or dies."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from sqlalchemy import text

from ledger.commit import queue, statements
from ledger.commit.decide import Decision
from ledger.commit.forms import Form, form_of
from ledger.commit.operation import Operation, Outcome
from ledger.commit.queue import QUEUE_LINES_MAX
from ledger.errors import IdempotencyInFlight, IdempotencyMismatch, InsufficientStock, OutcomeUnknown
from server.problems import Invalid, NotFound, Overloaded, Problem, Unavailable
from tests.harness.postgres import PostgresServer
from tests.harness.size import SIZE
from tests.harness.waiting import wait_until
from tests.ledger.commit_path import CommitPath, commit_path, line, operation
from tests.ledger.killed_backends import killed_backends

TWINS, RACING, KILLED_AT = SIZE.of(1_000), SIZE.of(1_500), SIZE.of(1_200)
"""Operations: sent to two replicas at once, to any of three, and in one round while backends are killed."""
KILLS_MIN, KILL_ROUNDS_MAX = SIZE.of(10), 20
"""A backend is only killed while it works, so how many rounds that takes depends on the machine."""
TRIES_MAX = 3
SKUS = [f"S{number:02d}" for number in range(8)]

KILL_WAITING = text("""
select pg_terminate_backend(pid) from pg_stat_activity
 where datname = current_database() and wait_event_type = 'Lock'
""")


@pytest.fixture
async def path(database_url: str) -> AsyncIterator[CommitPath]:
    async with commit_path(database_url) as path:
        await path.add_catalog(["A", "B", *SKUS], ["berlin", "paris"])
        yield path


@pytest.fixture
async def rival(database_url: str, path: CommitPath) -> AsyncIterator[CommitPath]:
    """A second replica over the same database."""
    async with commit_path(database_url) as rival:
        yield rival


async def test_fifty_units_sell_exactly_fifty_times_on_two_replicas(path: CommitPath, rival: CommitPath) -> None:
    await path.writers.submit(operation(line("A", "berlin", 49)))
    await rival.writers.submit(operation(line("A", "berlin", 1)))
    requests = [(replica, operation(line("A", "berlin", -1))) for _ in range(100) for replica in (path, rival)]
    answers = await _in_slices(requests, 20, _insist)
    assert Counter(type(answer) for answer in answers) == {Outcome: 50, InsufficientStock: 150}
    assert all(answer.numbers["available"] == 0 for answer in answers if isinstance(answer, InsufficientStock))
    assert path.writers.counters.conflicts + rival.writers.counters.conflicts > 0
    assert await path.audit() == []


async def test_a_key_has_one_effect_and_one_answer(path: CommitPath) -> None:
    request = operation(line("A", "berlin", 5), line("B", "paris", 2))
    first = await path.writers.submit(request)
    again = await path.writers.submit(request)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.events == first.events


async def test_a_level_that_another_replica_has_emptied_takes_a_receipt(path: CommitPath, rival: CommitPath) -> None:
    """What a writer remembers may be old, and "does not fit" is decided without a statement that would check it."""
    await path.writers.submit(operation(line("A", "berlin", 2**31 - 1)))
    await rival.writers.submit(operation(line("A", "berlin", -10)))
    assert (await path.writers.submit(operation(line("A", "berlin", 5)))).events[0]["on_hand"] == 2**31 - 6
    assert isinstance(await _try(path, operation(line("A", "berlin", 6))), Invalid)


async def test_a_refusal_is_remembered_after_the_stock_came_back(path: CommitPath) -> None:
    request = operation(line("A", "berlin", -1))
    first = await _try(path, request)
    await path.writers.submit(operation(line("A", "berlin", 5)))
    again = await _try(path, request)
    assert isinstance(first, InsufficientStock)
    assert isinstance(again, InsufficientStock)
    assert again.replayed
    assert again.numbers == first.numbers


async def test_twins_in_flight_share_one_effect_and_strangers_are_turned_away(path: CommitPath) -> None:
    request = operation(line("A", "berlin", 5), key="twin")
    other = operation(line("A", "berlin", 5), key="twin", body=b"another body")
    answers = await asyncio.gather(_try(path, request), _try(path, request), _try(path, other))
    assert [type(answer) for answer in answers] == [Outcome, Outcome, IdempotencyMismatch]
    assert await path.on_hand("A") == 5


async def test_a_known_key_does_not_hurt_its_neighbours(path: CommitPath) -> None:
    known = operation(line("A", "berlin", 5), key="known")
    await path.writers.submit(known)
    misused = operation(line("B", "berlin", 1), key="known", body=b"another body")
    batch = [operation(line("A", "berlin", 1)), known, operation(line("B", "berlin", 1))]
    answers = await asyncio.gather(*(_try(path, request) for request in batch))
    assert [answer.replayed for answer in answers if isinstance(answer, Outcome)] == [False, True, False]
    first, second = await asyncio.gather(_try(path, misused), _try(path, operation(line("B", "berlin", 1))))
    assert [type(first), type(second)] == [IdempotencyMismatch, Outcome]
    assert (await path.on_hand("A"), await path.on_hand("B")) == (6, 2)


@pytest.mark.usefixtures("sized")
async def test_the_same_key_on_two_replicas_again_and_again(path: CommitPath, rival: CommitPath) -> None:
    await path.writers.submit(operation(line("A", "berlin", 100_000)))
    twins = [operation(line("A", "berlin", -1)) for _ in range(TWINS)]
    neighbours = [operation(line(random.choice(SKUS), "berlin", 1)) for _ in range(TWINS)]
    requests = [(replica, twin) for twin in twins for replica in (path, rival)]
    requests += [(random.choice((path, rival)), neighbour) for neighbour in neighbours]
    random.shuffle(requests)
    answers = await _in_slices(requests, 200, _insist)
    by_id = Counter(answer.operation for answer in answers if isinstance(answer, Outcome))
    assert all(by_id[twin.id] == 2 for twin in twins)
    assert all(by_id[neighbour.id] == 1 for neighbour in neighbours)
    assert await path.on_hand("A") == 100_000 - TWINS
    assert await path.audit() == []


@pytest.mark.usefixtures("sized")
@pytest.mark.parametrize("form", Form)
async def test_racing_replicas_tear_nothing(
    database_url: str, path: CommitPath, rival: CommitPath, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the batches need, they are written in this form; ONE takes no more than one line of one operation."""
    used = _write_in(form, monkeypatch)
    async with commit_path(database_url) as third:
        replicas = (path, rival, third)
        await _stock_up(path)
        lines_max = 1 if form is Form.ONE else 4
        requests = [(random.choice(replicas), _random_operation(lines_max=lines_max)) for _ in range(RACING)]
        answers = await _in_slices(requests, 100, _insist)
        assert {type(answer) for answer in answers} <= {Outcome, InsufficientStock}
        assert sum(replica.writers.counters.conflicts for replica in replicas) > 0
        deadlocks = await path.scalar("select deadlocks from pg_stat_database where datname = current_database()")
        batches = sum(replica.writers.counters.batches for replica in replicas)
        assert deadlocks < 0.05 * batches, f"{deadlocks} deadlocks in {batches} batches"
        assert await path.audit() == []
        assert used[form] > used.total() / 2


@pytest.mark.usefixtures("sized")
async def test_answers_agree_with_what_is_stored_while_backends_are_killed(
    database_url: str, path: CommitPath, rival: CommitPath
) -> None:
    await _stock_up(path)
    asked: list[tuple[Operation, Outcome | Problem]] = []
    async with killed_backends(database_url):
        for _ in range(KILL_ROUNDS_MAX):
            keys = [secrets.token_hex(4) for _ in range(KILLED_AT // 2)]
            bodies = {key: _random_operation(key=key) for key in keys}
            requests = [(random.choice((path, rival)), bodies[random.choice(keys)]) for _ in range(KILLED_AT)]
            answers = await _in_slices(requests, 100)
            asked += [(request, answer) for (_, request), answer in zip(requests, answers, strict=True)]
            if path.writers.counters.lost_connections + rival.writers.counters.lost_connections >= KILLS_MIN:
                break
    assert path.writers.counters.lost_connections + rival.writers.counters.lost_connections >= KILLS_MIN
    async with commit_path(database_url) as unharmed:
        for request, answer in asked:
            await _assert_agrees(unharmed, request, answer)
        assert await unharmed.audit() == []


async def test_a_key_that_is_being_worked_on_elsewhere_is_said_so_and_its_neighbours_stand(path: CommitPath) -> None:
    await _stock_up(path)
    held = operation(line("A", "berlin", 1))
    neighbours = [operation(line(sku, "berlin", 1)) for sku in SKUS]
    async with path.engine.connect() as elsewhere:
        await elsewhere.execute(
            text("insert into operation values (:id, 'tester', 'k', '', '[]', null, '{}', '{}', '{}', now())"),
            {"id": held.id},
        )
        answers = await asyncio.gather(*(_try(path, request) for request in [held, *neighbours]))
        await elsewhere.rollback()
    assert [type(answer) for answer in answers] == [IdempotencyInFlight, *[Outcome] * len(neighbours)]
    assert isinstance(await _try(path, held), Outcome)


async def test_a_level_that_somebody_holds_does_not_stop_the_others(path: CommitPath) -> None:
    await _stock_up(path)
    async with path.engine.connect() as elsewhere:
        await elsewhere.execute(text("select from stock_level where sku = 'S00' for update"))
        answers = await asyncio.gather(*(_try(path, operation(line(sku, "berlin", 1))) for sku in SKUS))
        await elsewhere.rollback()
    assert [type(answer) for answer in answers] == [Unavailable, *[Outcome] * (len(SKUS) - 1)]


async def test_what_may_still_commit_elsewhere_is_never_called_not_done(path: CommitPath) -> None:
    """The connection is lost in the middle of the commit, and the rows that the next try needs stay held."""
    await _stock_up(path)

    async def kill_waiting() -> bool:
        async with path.engine.connect() as connection:
            return bool((await connection.execute(KILL_WAITING)).all())

    async with path.engine.connect() as elsewhere:
        await elsewhere.execute(text("select from shard for update"))
        answer = asyncio.create_task(_try(path, operation(line("A", "berlin", 1))))
        await wait_until(kill_waiting)
        assert isinstance(await answer, OutcomeUnknown)
        await elsewhere.rollback()


async def test_a_value_the_database_cannot_take_hurts_nobody_else(path: CommitPath) -> None:
    """Validation should have caught it: this is the net below."""
    batch = [operation(line(sku, "berlin", 1)) for sku in SKUS]
    batch[3] = operation(line("A", "berlin", 1, reason="nul \0 inside"))
    answers = await asyncio.gather(*(_try(path, request) for request in batch))
    assert [type(answer) for answer in answers] == [*[Outcome] * 3, Invalid, *[Outcome] * 4]
    assert path.writers.counters.bisections > 0


async def test_an_unknown_sku_is_not_found_and_becomes_possible_later(path: CommitPath) -> None:
    request = operation(line("later", "berlin", 1))
    assert isinstance(await _try(path, request), NotFound)
    await path.add_catalog(["later"], [])
    assert isinstance(await _try(path, request), Outcome)


async def test_a_full_queue_refuses_at_once_and_what_was_taken_is_done(path: CommitPath) -> None:
    await _stock_up(path)
    requests = [operation(*[line("A", "berlin", 1)] * 1000) for _ in range(QUEUE_LINES_MAX // 1000 + 10)]
    async with path.engine.connect() as elsewhere:
        await elsewhere.execute(text("select from shard for update"))
        answers = asyncio.gather(*(_try(path, request) for request in requests))
        await asyncio.sleep(0)
        assert path.writers.queued_lines <= QUEUE_LINES_MAX
        await elsewhere.rollback()
    kinds = Counter(type(answer) for answer in await answers)
    assert kinds[Overloaded] > 0
    assert await path.on_hand("A") == 1000 * kinds[Outcome]


async def test_a_database_that_is_away_is_said_so_and_comes_back(
    private_postgres: PostgresServer, private_database_url: str
) -> None:
    async with commit_path(private_database_url) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 1)))
        await asyncio.to_thread(private_postgres.kill)
        lost = operation(line("A", "berlin", 1))
        answer = await _try(path, lost)
        assert isinstance(answer, Unavailable | OutcomeUnknown)
        assert answer.retry_after_s >= 1
        await asyncio.to_thread(private_postgres.start)
        await path.engine.dispose()  # the test's own connections, which do not look before they are used
        assert isinstance(await _try(path, lost), Outcome)
        assert await path.on_hand("A") == 2
        assert await path.audit() == []


async def test_an_older_database_makes_a_new_epoch_before_anything_is_committed_on_it(
    private_postgres: PostgresServer, private_database_url: str
) -> None:
    async with commit_path(private_database_url) as path:
        await path.add_catalog(["A"], ["berlin"])
        await path.writers.submit(operation(line("A", "berlin", 1)))
        await path.engine.dispose()
        await asyncio.to_thread(private_postgres.save, "older")
        await asyncio.to_thread(private_postgres.start)
        for _ in range(3):
            await path.writers.submit(operation(line("A", "berlin", 1)))
        epoch = path.heads.epoch
        await path.heads.refresh()
        await asyncio.to_thread(private_postgres.restore, "older")
        await asyncio.to_thread(private_postgres.start)
        outcome = await path.writers.submit(operation(line("A", "berlin", 10)))
        assert path.heads.epoch != epoch
        assert path.heads.rewritten == 1
        assert outcome.events[0]["on_hand"] == 11, "decided on the restored level, not on the remembered one"
        assert await path.audit() == []


# --- what the tests do


async def _try(path: CommitPath, request: Operation) -> Outcome | Problem:
    try:
        return await path.writers.submit(request)
    except Problem as error:
        return error


async def _insist(path: CommitPath, request: Operation) -> Outcome | Problem:
    """Again where nothing was decided: when a machine has stood still for 2 s, all lock timeouts have run out."""
    for _ in range(TRIES_MAX):
        answer = await _try(path, request)
        if not isinstance(answer, Unavailable | IdempotencyInFlight):
            break
    return answer


async def _in_slices(
    requests: list[tuple[CommitPath, Operation]],
    size: int,
    ask: Callable[[CommitPath, Operation], Awaitable[Outcome | Problem]] = _try,
) -> list[Outcome | Problem]:
    """``size`` callers at a time, each with its own next request as soon as it is answered."""
    answers: list[Outcome | Problem | None] = [None] * len(requests)
    upcoming = iter(enumerate(requests))

    async def caller() -> None:
        for position, (path, request) in upcoming:
            answers[position] = await ask(path, request)

    await asyncio.gather(*(caller() for _ in range(size)))
    return [answer for answer in answers if answer is not None]


async def _stock_up(path: CommitPath) -> None:
    places = ("berlin", "paris")
    await path.writers.submit(operation(*(line(sku, place, 40) for sku in SKUS for place in places)))


def _write_in(form: Form, monkeypatch: pytest.MonkeyPatch) -> Counter[Form]:
    """In ``form``, or in the next one that takes a batch. What was used is counted."""
    forms, used = list(Form), Counter[Form]()

    def chosen(decision: Decision) -> tuple[Form, int]:
        leanest, shard = form_of(decision)
        used[taken := max(leanest, form, key=forms.index)] += 1
        return taken, shard

    monkeypatch.setattr(statements, "form_of", chosen)
    if form is Form.ONE:
        monkeypatch.setattr(queue, "BATCH_LINES_MAX", 1)
    return used


def _random_operation(key: str | None = None, lines_max: int = 4) -> Operation:
    lines = [
        line(random.choice(SKUS), random.choice(("berlin", "berlin", "paris")), random.choice((-3, -2, -1, 1)))
        for _ in range(random.randint(1, lines_max))
    ]
    return operation(*lines, key=key)


async def _assert_agrees(path: CommitPath, request: Operation, answer: Outcome | Problem) -> None:
    async with path.engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "select refusal, (select count(*) from stock_event where operation = :id) as events"
                    " from operation where id = :id"
                ),
                {"id": request.id},
            )
        ).one_or_none()
    if isinstance(answer, Outcome):
        assert row is not None
        assert row.events == len(answer.events)
    elif isinstance(answer, InsufficientStock):
        assert row is not None
        assert row.refusal is not None
    else:
        assert isinstance(answer, OutcomeUnknown | Unavailable | Overloaded | IdempotencyInFlight), repr(answer)
