"""What must be true in the end: nothing lost, oversold or doubled, no screen ever wrong, the audit clean."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import asyncpg

from ledger.commit.event import EVENT_COLUMNS, event_of_row
from ledger.database.audit import audit
from ledger.database.engine import create_engine
from stockwire import AsyncClient, Level, Line, OperationResult, StockwireError, errors
from stockwire.level import LevelNumbers
from stockwire.operation import Event
from stockwire.oracle import Invocation, judge
from tests.harness.postgres import PATIENT
from tests.harness.waiting import PATIENCE_S, wait_until
from tests.upgrades.tills import OWNER, Disturbance, Tills, watches
from wire.availability import DEFAULT_STEPS

SAMPLES_MAX = 5

Row = dict[str, Any]
"""An event as the database has it."""
Place = tuple[str, str, int]
"""location, sku, version"""


@dataclass(frozen=True, slots=True)
class Figures:
    """``gap_s``: the longest time between two acknowledged operations; ``frames``: compared with the log."""

    operations: int
    acknowledged: int
    refused: int
    unanswered: int
    gap_s: float
    frames: int

    def __str__(self) -> str:
        return (
            f"{self.operations} operations, {self.acknowledged} acknowledged, {self.refused} refused for want of stock,"
            f" {self.unanswered} tries without an answer, longest gap {self.gap_s:.2f} s, {self.frames} frames compared"
        )


async def verdict(tills: Tills, url: str, client: AsyncClient) -> Figures:
    """Of all that has happened since the beginning, the tills paused meanwhile. Raises AssertionError."""
    await tills.pause()
    events = await _events(url)
    await _await_views(tills, client)
    tills.read()
    calls = [_invocation(call) for call in tills.calls]
    levels = [level async for level in client.levels()]
    parsed = [Event.parse(event) for event in events]
    found = [str(one) for one in judge(calls, parsed, levels)]
    found += wrong_frames(tills.frames, events)
    found += miscounted(events)
    found += undisturbed(tills.errors, tills.disturbances)
    found += await _audited(url)
    assert not found, f"{len(found)} findings, such as " + "; ".join(found[:SAMPLES_MAX])
    acknowledged = sorted(call.completed_s for call in calls if isinstance(call.answer, OperationResult))
    return Figures(
        operations=len({call.key for call in calls}),
        acknowledged=len(acknowledged),
        refused=sum(isinstance(call.answer, errors.Refused) for call in calls),
        unanswered=sum(isinstance(call.answer, errors.Later) for call in calls),
        gap_s=max((after - before for before, after in pairwise(acknowledged)), default=0.0),
        frames=len(tills.frames),
    )


async def _events(url: str) -> list[Row]:
    connection = await asyncpg.connect(url, timeout=PATIENCE_S)
    try:
        rows = await connection.fetch(f"select {EVENT_COLUMNS} from stock_event e order by e.shard, e.seq")
        return [event_of_row(tuple(row)) for row in rows]
    finally:
        await connection.close()


async def _await_views(tills: Tills, client: AsyncClient) -> None:
    """Until each screen shows what the ledger has, of exact numbers and as the public sees it."""

    async def equal() -> bool:
        truth = {level.key: level async for level in client.levels()}
        views, fresh = await tills.shown()
        differing = {name: wrong for name, view in views.items() if (wrong := _differing(name, view, truth))}
        if differing or not fresh:
            raise DifferError(f"fresh: {fresh}; {differing}"[:1_000])
        return True

    await wait_until(equal, PATIENCE_S, what="every screen shows what the ledger has", swallow=DifferError)


class DifferError(Exception):
    """A screen and the ledger differ, for now."""


def _differing(screen: str, view: Iterable[Sequence[Any]], truth: Mapping[tuple[str, str], Level]) -> list[object]:
    public = screen.endswith("public")
    shown = {(location, sku): tuple(numbers) for location, sku, version, *numbers in view if version}
    wanted = {
        key: _shown_of(level, public) for key, level in truth.items() if level.version and watches(screen, key[0])
    }
    return [
        (key, shown.get(key), wanted.get(key)) for key in shown.keys() | wanted if shown.get(key) != wanted.get(key)
    ]


def _shown_of(level: LevelNumbers, public: bool) -> tuple[Any, ...]:
    available = level.on_hand - level.reserved
    if public:
        return DEFAULT_STEPS.availability(available), DEFAULT_STEPS.quantity(available)
    return level.on_hand, level.reserved


def _invocation(call: Row) -> Invocation:
    lines = tuple(Line(**line) for line in call["lines"])
    return Invocation(OWNER, call["key"], lines, call["invoked_s"], call["completed_s"], _answer(call))


def _answer(call: Row) -> OperationResult | StockwireError:
    if "events" in call:
        events = tuple(Event.parse(event) for event in call["events"])
        return OperationResult(events[0].operation, events, (), False, call["key"])
    if "failed" in call:
        kind: type[StockwireError] = getattr(errors, call["failed"])
        assert issubclass(kind, errors.Later), call
        return kind(call["failed"])
    numbers = {name: value for name, value in call["numbers"].items() if name != "key"}
    if "current" in numbers:
        numbers["current"] = LevelNumbers.parse(numbers["current"])
    refusal: StockwireError = getattr(errors, call["refused"])(**numbers)
    return refusal


def wrong_frames(frames: Iterable[Sequence[Any]], events: Iterable[Row]) -> list[str]:
    """Each number that a screen showed was that of its version, and no screen went back within an epoch."""
    exact: dict[Place, tuple[Any, ...]] = {}
    public: dict[Place, tuple[Any, ...]] = {}
    for event in events:
        steps = DEFAULT_STEPS.availability(event["available"]), DEFAULT_STEPS.quantity(event["available"])
        exact[event["location"], event["sku"], event["version"]] = event["on_hand"], event["reserved"]
        public[event["location"], event["sku"], event["view_version"]] = steps
    wrong = []
    newest: dict[tuple[str, str | None, str, str], int] = defaultdict(int)
    for screen, epoch, location, sku, version, *numbers in frames:
        truth = public if screen.endswith("public") else exact
        if version and truth.get((location, sku, version)) != tuple(numbers):
            wrong.append(f"{screen} showed {numbers} as version {version} of {sku} at {location}")
        if epoch is not None and version < newest[screen, epoch, location, sku]:
            wrong.append(f"{screen} went back to version {version} of {sku} at {location}")
        newest[screen, epoch, location, sku] = max(newest[screen, epoch, location, sku], version)
    return wrong


def miscounted(events: Iterable[Row]) -> list[str]:
    """The view of a level has a new version exactly when what the public sees of it changes, whoever wrote it."""
    held: dict[tuple[str, str], tuple[int, int]] = {}
    begun: set[tuple[str, str]] = set()
    wrong = []
    for event in events:
        key, floor = (event["location"], event["sku"]), DEFAULT_STEPS.floor(event["available"])
        counted, before = held.get(key, (0, -1))
        if event["view_version"] == 0 and key not in begun:  # from before views were counted: its backfill says 1
            held[key] = (1, floor)
            continue
        begun.add(key)
        expected = counted + (floor != before)
        if event["view_version"] != expected:
            wrong.append(f"view version {event['view_version']} instead of {expected} at {event}")
        held[key] = (event["view_version"], floor)
    return wrong


def undisturbed(errors: Iterable[Row], disturbances: Sequence[Disturbance]) -> list[str]:
    """What tills were told while nobody had stopped or killed their ledger."""
    found = []
    for error in errors:
        ledger = error["till"].split(" ")[-2]
        disturbed = (
            one.from_s <= error["to_s"] and error["from_s"] <= one.to_s for one in disturbances if one.ledger == ledger
        )
        if not any(disturbed):
            took_s = error["to_s"] - error["from_s"]
            found.append(
                f"{error['till']} was told {error['reason']} after {took_s:.2f} s, and nobody had stopped its ledger"
            )
    return found


async def _audited(url: str) -> list[str]:
    engine = create_engine(url, pool_size=1, settings=PATIENT)
    try:
        async with engine.connect() as connection:
            return [str(violation) for violation in await audit(connection)]
    finally:
        await engine.dispose()
