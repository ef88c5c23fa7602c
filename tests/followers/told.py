"""What an endpoint was told of one level, held to the level's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from followers.log.ledger import Event
from tests.followers.receivers import Told
from wire.availability import DEFAULT_STEPS

CHANGED = "stock.changed"
EDGES = ("stock.low", "stock.out", "stock.back")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an endpoint asked for: of all that ``edges`` adds, if it does."""

    mode: str
    batch: int
    public: bool
    edges: bool

    @property
    def types(self) -> tuple[str, ...]:
        return (CHANGED, *EDGES) if self.edges else (CHANGED,)

    def has_arrived(self, told: Sequence[Told], newest: Event, epoch: str) -> bool:
        """Whether the last change that it was told of is the newest one, of this epoch."""
        changes = [(one.epoch, one.version) for one in told if one.type == CHANGED]
        return changes[-1:] == [(epoch, newest["view_version" if self.public else "version"])]


def check(asked: Asked, told: Sequence[Told], events: Sequence[Event], begun: str, what: str) -> None:
    """``told``: each message once, as they were accepted; ``events``: all of them; ``begun``: the first epoch, of which
    it may have been told nothing.

    No epoch comes back, and within one no version; ``every`` leaves none out; edges are told each time. Where an epoch
    ends, what was not told yet of it is not told any more: then all levels are told anew.
    """
    assert told, what
    epochs = [list(group) for _, group in groupby(told, key=lambda one: one.epoch)]
    assert len({group[0].epoch for group in epochs}) == len(epochs), f"{what}: an epoch came back"
    for number, group in enumerate(epochs):
        versions = [one.version for one in group]
        assert versions == sorted(versions), f"{what}: {versions}"
        changes = [one.version for one in group if one.type == CHANGED]
        assert len(set(changes)) == len(changes), f"{what}: {changes}"
        if asked.mode == "every":
            assert changes == list(range(changes[0], changes[-1] + 1)), f"{what}: {changes}"
            assert group[0].epoch != begun or changes[0] == 1, f"{what}: {changes}"
        if asked.edges:
            is_last = number == len(epochs) - 1
            first = 1 if group[0].epoch == begun else versions[0]
            _check_edges(group, events, first, versions[-1] + 1 if is_last else versions[-1], what)


def _check_edges(group: Sequence[Told], events: Sequence[Event], first: int, end: int, what: str) -> None:
    """Of versions from ``first`` on and before ``end``."""
    expected = [
        (edge, event["version"])
        for event in events
        if first <= event["version"] < end and (edge := _edge_of(event)) is not None
    ]
    found = [(one.type, one.version) for one in group if one.type in EDGES and first <= one.version < end]
    assert found == expected, what


def _edge_of(event: Event) -> str | None:
    after = event["available"]
    was = DEFAULT_STEPS.availability(after - event["on_hand_delta"] + event["reserved_delta"])
    now = DEFAULT_STEPS.availability(after)
    if was == now:
        return None
    return {"out": "stock.out", "low": "stock.back" if was == "out" else "stock.low"}.get(
        now, "stock.back" if was == "out" else None
    )
