"""Whoever watches a whole location is given it page by page while it is being read, and misses nothing by it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.fanout.fanout import Fanout
from hub.fanout.session import Session
from tests.hub.in_memory import Loads, Pipe, batch, make_fanout, open_session, repair, subscribe
from tests.simulation.history import EPOCH, History
from wire.messages import Position

SHARDS = 2
LOCATIONS = ("berlin", "berlin", "paris")
SKUS = tuple("ABCDEFGHIJ")


class Reader:
    """Holds what the client's rule leaves of what has come."""

    def __init__(self, session: Session, pipe: Pipe, location: str) -> None:
        self.session = session
        self.location = location
        self.versions: dict[tuple[str, str], int] = {}
        self.position: dict[str, int] | None = None
        self.parts = 0
        self._pipe = pipe

    def read(self, count: int = 1_000_000) -> None:
        for message in self._pipe.take(count):
            if message["type"] == "level":
                self._take(message)
            elif message["type"] == "snapshot":
                self.parts += 1
                assert self.position is None, "nothing follows the last part"
                assert ("position" in message) is message["last"]
                for level in message["levels"]:
                    self._take(level)
                if message["last"]:
                    self.position = message["position"]["seq"]

    def _take(self, level: dict[str, Any]) -> None:
        key = level["location"], level["sku"]
        self.versions[key] = max(self.versions.get(key, 0), level["version"])


def come(fanout: Fanout, location: str, limit: int = 3, since: Position | None = None) -> Reader:
    session, pipe = open_session(fanout, limit)
    subscribe(fanout, session, location, since=since)
    return Reader(session, pipe, location)


def true_versions(history: History, location: str, heads: dict[str, int] | None = None) -> dict[tuple[str, str], int]:
    """Of all levels of the location, now or as of ``heads``."""
    found = {}
    for key, versions in history.versions.items():
        if location in ("*", key[0]):
            shard = str(versions[0].shard)
            version = len(versions) if heads is None else history.version_at(key, heads[shard])
            if version:
                found[key] = version
    return found


SELLS = st.tuples(st.just("sell"), st.sampled_from(LOCATIONS), st.sampled_from(SKUS))
COMES = st.tuples(st.just("come"), st.sampled_from(("berlin", "berlin", "*")), st.sampled_from((False, False, True)))
TELLS = st.tuples(st.sampled_from(("hear", "hear", "hear", "lose")), st.integers(1, 9))
READS = st.tuples(st.sampled_from(("ask", "read", "answer", "flush", "go")), st.integers(1, 2))
PAGES = st.tuples(st.just("page"), st.integers(1, 2))


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.one_of(SELLS, COMES, TELLS, READS, PAGES), min_size=10, max_size=60),
    st.lists(SELLS, min_size=5, max_size=20),
)
def test_whatever_changes_while_a_location_is_read_every_reader_ends_with_all_of_it(
    acts: list[Any], before: list[Any]
) -> None:
    """What came before its reader did, what moves behind the page, what appears before it, what is told or not."""
    history = History(shards=SHARDS)
    for _, location, sku in before:
        history.commit(location, sku)
    fanout, readers = make_fanout(history), list[Reader]()
    loads, untold = Loads(fanout, history, page_levels=1), list[Any]()
    for act in acts:
        match act:
            case ("sell", location, sku):
                untold += history.commit(location, sku)
            case ("come", location, resumes):
                heads = {str(shard): head for shard, head in history.heads().items()}
                since = Position(EPOCH, {shard: head // 2 for shard, head in heads.items()}) if resumes else None
                readers.append(come(fanout, location, since=since))
                if since is not None:
                    readers[-1].versions = true_versions(history, location, since.seq)
            case ("page", number):
                for _ in range(number):
                    loads.ask()
                    loads.read(1)
                    loads.answer(1)
            case ("ask", _):
                loads.ask()
            case ("read", number):
                loads.read(number)
            case ("answer", number):
                loads.answer(number)
            case ("flush", _):
                fanout.delivery.flush()
            case ("hear", number):
                for event in untold[:number]:
                    fanout.broker(batch([event]), 0.0)
                del untold[:number]
            case ("lose", number):
                del untold[:number]
            case ("go", number):
                if readers:
                    readers[number % len(readers)].read(number)
    repair(fanout, history, 100.0)
    fanout.confirmed(history.heads())
    for _ in range(100):
        loads.all()
        fanout.delivery.flush()
        for reader in readers:
            reader.read()
    for reader in readers:
        assert reader.session.subscriptions, "nobody was refused"
        assert reader.position is not None
        assert reader.versions == true_versions(history, reader.location)


def test_the_first_levels_are_shown_while_the_last_are_being_read() -> None:
    history = History(shards=1)
    history.commit("berlin", *(f"sku-{number:02}" for number in range(40)))
    fanout = make_fanout(history)
    loads, reader = Loads(fanout, history), come(fanout, "berlin", limit=1_000)
    loads.ask()
    for pages in range(1, 10):
        loads.read(1)
        loads.answer(1)
        fanout.delivery.flush()
        reader.read()
        assert len(reader.versions) == 4 * pages
        assert reader.parts == pages
        assert reader.position is None
    late = come(fanout, "berlin", limit=1_000)
    fanout.delivery.flush()
    late.read()
    assert late.versions == reader.versions, "who comes later has at once what has come"
    loads.all()
    fanout.delivery.flush()
    for one in (reader, late):
        one.read()
        assert len(one.versions) == 40
        assert one.position == {"0": 40}
    assert fanout.counts.snapshot_levels == 80, "and nobody is given a level twice"


def test_a_hub_that_is_behind_shows_no_level_twice_but_what_has_changed() -> None:
    """Its ledger's pages are ahead of what it has heard, so it shows levels before it hears how they came to be."""
    history = History(shards=1)
    fanout = make_fanout(history)
    untold = history.commit("berlin", *(f"sku-{number:02}" for number in range(10)))
    reader, loads = come(fanout, "berlin", limit=1_000), Loads(fanout, history, page_levels=5)
    loads.ask()
    for _ in range(2):
        loads.read(1)
        loads.answer(1)
        fanout.delivery.flush()
    untold += history.commit("berlin", "sku-03")
    fanout.broker(batch(untold), 0.0)
    fanout.delivery.flush()
    reader.read()
    assert reader.versions == true_versions(history, "berlin")
    assert reader.position == {"0": 0}, "as far as it had heard when its reader came"
    assert fanout.counts.snapshot_levels == 11, "ten, and the one that has changed"


def test_who_resumes_is_given_what_has_changed_alone() -> None:
    history = History(shards=1)
    history.commit("berlin", *(f"sku-{number:02}" for number in range(20)))
    fanout = make_fanout(history)
    loads = Loads(fanout, history)
    reader = come(fanout, "berlin", since=Position(EPOCH, {"0": 17}))
    loads.all()
    fanout.delivery.flush()
    reader.read()
    assert sorted(reader.versions) == [("berlin", f"sku-{number:02}") for number in (17, 18, 19)]
