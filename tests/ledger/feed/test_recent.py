"""Who reads right behind the newest events is told what the database holds, and nothing that it does not."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.feed.recent import KEPT_S, Recent
from tests.conftest import StartSystem
from tests.ledger.api import Api, sale

BATCHES = st.lists(
    st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=20
)
"""Epoch, how many events another ledger committed in between, and how many are added."""


@given(BATCHES, st.integers(0, 80), st.integers(1, 20))
def test_what_is_told_is_dense_begins_where_it_was_asked_and_is_of_the_epoch(
    batches: list[tuple[str, int, int]], seq: int, limit: int
) -> None:
    recent = Recent(events_max=8, shard_least=4)
    last = 0
    kept: list[int] = []
    epoch = ""
    for now, others, count in batches:
        first = last + 1 + others
        last = first + count - 1
        recent.add(now, 3, [{"seq": number} for number in range(first, last + 1)], 0.0)
        kept = [*(kept if (now, others) == (epoch, 0) else []), *range(first, last + 1)][-8:]
        epoch = now
    known = [kept[0] - 1, *kept]
    expected = known[known.index(seq) + 1 :][:limit] if seq in known else None
    found = recent.after(epoch, 3, seq, limit, KEPT_S)
    assert (None if found is None else [one["seq"] for one in found]) == expected
    assert recent.after("another", 3, seq, limit, 0.0) is None
    assert recent.after(epoch, 4, seq, limit, 0.0) is None


def test_shards_share_what_is_kept_and_each_has_its_least() -> None:
    recent = Recent(events_max=8, shard_least=3)
    for shard in range(4):
        for seq in range(1, 11):
            recent.add("a", shard, [{"seq": seq}], 0.0)
    last = recent.after("a", 3, 7, 100, 0.0)
    assert last is not None
    assert [one["seq"] for one in last] == [8, 9, 10]
    assert recent.after("a", 3, 6, 100, 0.0) is None


def test_nothing_is_told_from_memory_when_the_last_commit_is_a_while_ago() -> None:
    """A database may have been put back by then."""
    recent = Recent()
    recent.add("a", 0, [{"seq": 1}], 10.0)
    assert recent.after("a", 0, 0, 100, 10.0 + KEPT_S) == [{"seq": 1}]
    assert recent.after("a", 0, 0, 100, 10.1 + KEPT_S) is None


async def test_who_waits_is_told_the_same_by_the_ledger_that_committed_as_the_database_has(
    start_system: StartSystem,
) -> None:
    system = await start_system(hubs=0)
    other = await system.start_ledger()
    key = await system.admin_key()
    async with Api(system.ledger_url, key) as first, Api(other.url, key) as second:
        await first.stock("berlin", "A", 10)
        for _ in range(3):
            await first.move(sale("berlin", "A"))
        level = (await first.get("/v1/levels/berlin/A")).json()
        await second.move(sale("berlin", "A", reason="phone", reference="D-1"))
        await first.move(sale("berlin", "A"))
        for after in range(level["seq"] + 2):
            path = f"/v1/events?shard={level['shard']}&after={after}&limit=3"
            stored = (await first.get(path)).json()
            assert [one["seq"] for one in stored["events"]] == [*range(after + 1, level["seq"] + 3)][:3]
            for asked in (first, second):
                told = (await asked.get(f"{path}&wait=10")).json()
                assert told["events"], "or there was something to wait for"
                assert told["events"] == stored["events"][: len(told["events"])]
                assert (told["epoch"], told["shard"]) == (stored["epoch"], stored["shard"])
                assert told["events"][-1]["seq"] <= told["head"] <= stored["head"]
