"""Whatever comes again, whenever it stops: who applies each step holds the ledger's log, or is told of a gap."""

import copy
import random
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stockwire.level import Level
from stockwire.streams import Change, Complete, Follower, Gap, LevelTold, Message, Rewritten, Step
from stockwire.streams.checkpoint import Checkpoint
from tests.client.told import SKUS, History, told_anew, told_from_the_beginning


@dataclass
class Stored:
    """What a consumer's database holds: of each shard the log since it last started over, levels, the checkpoint."""

    log: dict[int, list[tuple[str, int]]] = field(default_factory=dict)
    levels: dict[int, dict[str, tuple[int, int]]] = field(default_factory=dict)
    checkpoints: dict[int, str] = field(default_factory=dict)

    def apply(self, step: Step, checkpoint: str | None) -> None:
        log = self.log.setdefault(step.shard, [])
        levels = self.levels.setdefault(step.shard, {})
        if step.starts_over:
            log.clear()
            levels.clear()
        if step.event is not None:
            log.append((step.epoch, step.event.seq))
        if step.level is not None and is_newer(step.level, levels.get(step.level.sku)):
            levels[step.level.sku] = (step.level.version, step.level.on_hand)
        assert checkpoint is not None
        self.checkpoints[step.shard] = checkpoint


def is_newer(level: Level, held: tuple[int, int] | None) -> bool:
    return held is None or level.version > held[0]


@dataclass
class Partition:
    """What the broker holds of one shard, and what a reader has to hold at its end."""

    shard: int
    messages: list[Message]
    log: list[tuple[str, int]]
    levels: dict[str, tuple[int, int]]
    told: list[tuple[History, int]]
    """Each epoch, and the message with which it begins, of what has no repeats."""


def partition(shard: int, chance: random.Random, *, repeats: bool) -> Partition:
    """Up to three epochs; the first told from its beginning."""
    history = History("e0", shard)
    trade(history, chance)
    messages, first, begun = told_from_the_beginning(history), 1, [(history, 0)]
    for number in range(chance.randrange(3)):
        history = history.restored(f"e{number + 1}", chance.randint(0, len(history.events)))
        trade(history, chance)
        told = told_anew(history, chance.randint(0, len(history.events)), chance)
        begun.append((history, len(messages)))
        messages += told
        first = next((m.event.seq for m in told if isinstance(m, Change)), len(history.events) + 1)
    if repeats:
        messages = with_repeats(messages, chance)
    return Partition(shard, messages, log_of(history, first), levels_of(history, len(history.events)), begun)


def log_of(history: History, first: int) -> list[tuple[str, int]]:
    return [(history.epoch, seq) for seq in range(first, len(history.events) + 1)]


def levels_of(history: History, seq: int) -> dict[str, tuple[int, int]]:
    return {sku: (event["version"], event["on_hand"]) for sku, event in history.levels(seq).items()}


def trade(history: History, chance: random.Random) -> None:
    for _ in range(chance.randrange(8)):
        history.commit(chance.choice(SKUS), chance.randint(-3, 5))


def with_repeats(messages: list[Message], chance: random.Random) -> list[Message]:
    """A relay that died goes on at an older checkpoint: what it wrote since comes once more."""
    told: list[Message] = []
    for at, message in enumerate(messages):
        told.append(message)
        if chance.random() < 0.15:
            told += messages[max(0, at - chance.randrange(6)) : at + 1]
    return told


def read(
    partitions: list[Partition],
    chance: random.Random,
    stored: Stored | None = None,
    begin: int = 0,
    *,
    dense: bool = True,
) -> Stored:
    """In any interleaving, with crashes: what was not stored is gone, and the broker gives again from some offset at
    or before what was stored, but behind ``begin``."""
    stored, offsets = stored or Stored(), [begin] * len(partitions)
    follower = Follower(stored.checkpoints, dense=dense)
    pending, safe = copy.deepcopy(stored), [*offsets]
    crashes = chance.randrange(6)
    while unread := [n for n, one in enumerate(partitions) if offsets[n] < len(one.messages)]:
        at = chance.choice(unread)
        step = follower.take(partitions[at].messages[offsets[at]])
        offsets[at] += 1
        if step is not None:
            pending.apply(step, follower.checkpoint(step.shard))
        if chance.random() < 0.3:
            stored, safe = copy.deepcopy(pending), [*offsets]
        if crashes and chance.random() < 0.1:
            crashes -= 1
            pending, follower = copy.deepcopy(stored), Follower(stored.checkpoints, dense=dense)
            offsets = [chance.randint(begin, offset) for offset in safe]
    return pending


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
@example(7, True)
def test_a_reader_holds_the_ledgers_log_and_its_levels(seed: int, repeats: bool) -> None:
    chance = random.Random(seed)
    partitions = [partition(shard, chance, repeats=repeats) for shard in range(chance.randint(1, 3))]
    held = read(partitions, chance)
    for one in partitions:
        assert held.log.get(one.shard, []) == one.log
        assert held.levels.get(one.shard, {}) == one.levels


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_one_message_that_is_lost_is_a_gap_unless_nothing_behind_it_says_so(seed: int) -> None:
    """Levels are states: which of them was lost on the way, no message behind it can say."""
    chance = random.Random(seed)
    one = partition(0, chance, repeats=False)
    able = [at for at, message in enumerate(one.messages) if not isinstance(message, LevelTold)]
    if not able:
        return
    lost = chance.choice(able)
    follower, held = Follower(), Stored()
    try:
        for message in one.messages[:lost] + one.messages[lost + 1 :]:
            if (step := follower.take(message)) is not None:
                held.apply(step, follower.checkpoint(0))
    except Gap:
        return
    if one.messages[lost] is not one.messages[-1]:
        assert (held.log.get(0, []), held.levels.get(0, {})) == (one.log, one.levels)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_who_joins_from_the_ledgers_levels_holds_them_whatever_the_broker_tells_of_other_epochs(
    seed: int, dense: bool
) -> None:
    join(random.Random(seed), dense=dense)


def join(chance: random.Random, *, dense: bool) -> None:
    """In any epoch, and from any message that the broker had before the levels were read."""
    one = partition(0, chance, repeats=False)
    history, begins = chance.choice(one.told)
    head = chance.randint(0, len(history.events))
    end = begins
    while end < len(one.messages) and is_told_by(history, head, one.messages[end]):
        end += 1
    follower = Follower(dense=dense)
    follower.begin_at(0, history.epoch, head)
    stored = Stored(levels={0: levels_of(history, chance.randint(head, len(history.events)))})
    stored.checkpoints[0] = str(follower.checkpoint(0))
    held = read([one], chance, stored, chance.randint(0, end), dense=dense)
    is_last = history is one.told[-1][0]
    assert held.log.get(0, []) in (one.log, log_of(history, head + 1) if is_last else one.log)
    assert held.levels[0] == one.levels


def is_told_by(history: History, head: int, message: Message) -> bool:
    """While the ledger was at ``head``."""
    if message.epoch != history.epoch:
        return False
    match message:
        case Change():
            return message.event.seq <= head
        case Rewritten() | Complete():
            return message.head <= head
        case LevelTold():
            version, _ = levels_of(history, head).get(message.level.sku, (0, 0))
            return message.level.version <= version


@pytest.mark.parametrize("planted", ["begins", "next"])
def test_who_joins_without_one_of_the_rules_is_found(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if planted == "begins":
        monkeypatch.setattr("stockwire.streams.follower._begins", lambda message: True)
    else:
        monkeypatch.setattr(Checkpoint, "next", lambda known, epoch: Checkpoint(epoch, left=(known.epoch, *known.left)))
    assert any(is_joined_wrong(seed) for seed in range(300))


def is_joined_wrong(seed: int) -> bool:
    try:
        join(random.Random(seed), dense=True)
    except (Gap, AssertionError):
        return True
    return False


@pytest.mark.parametrize("planted", ["repeats", "left", "versions"])
def test_a_reader_without_one_of_the_rules_is_found(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model can fail: each rule is needed."""
    if planted == "repeats":
        monkeypatch.setattr("stockwire.streams.follower._change", lambda known, message, dense: known)
    elif planted == "left":
        monkeypatch.setattr("stockwire.streams.checkpoint.LEFT_MAX", 0)
    else:
        monkeypatch.setitem(globals(), "is_newer", lambda level, held: True)
    assert any(is_wrong(seed) for seed in range(300))


def is_wrong(seed: int) -> bool:
    chance = random.Random(seed)
    one = partition(0, chance, repeats=True)
    try:
        held = read([one], chance)
    except Gap:
        return True
    return (held.log.get(0, []), held.levels.get(0, {})) != (one.log, one.levels)
