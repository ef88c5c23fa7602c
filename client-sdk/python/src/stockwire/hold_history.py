"""Reservations in a history: who held which units of a level when, and until when they can have been theirs. Pure.

`stockwire.oracle` judges with it.
"""

import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stockwire.errors import OutcomeUnknown, StockwireError
from stockwire.operation import Event, OperationResult
from stockwire.reservation import Reservation, Wanted
from stockwire.view import Key

NEVER, ALWAYS = float("-inf"), float("inf")
RESERVE, COMMIT = "reserve", "commit"
SWEEPER = "stockwire"
CLOCKS_S = 0.05
"""Two clocks that count the same seconds may differ by so much in the end."""


def operation_id(owner: str, key: str) -> str:
    """The one that the ledger gives: the first 128 bits of SHA-256 over owner, a zero byte and key."""
    return str(uuid.UUID(bytes=hashlib.sha256(f"{owner}\0{key}".encode()).digest()[:16]))


@dataclass(frozen=True, slots=True)
class HoldInvocation:
    """One call about a reservation as its client saw it. A key that was used by several calls has several.

    ``asked``: reserve, commit, fulfil, cancel, extend or change. ``lines``: as they were given, empty for all of it.
    ``answer``: the reservation, the error raised, or None if the client never knew.
    """

    owner: str
    key: str
    asked: str
    reservation: str
    lines: tuple[Wanted, ...]
    ttl_s: int | None
    invoked_s: float
    completed_s: float
    answer: Reservation | StockwireError | None

    @property
    def unknown(self) -> bool:
        return self.answer is None or isinstance(self.answer, OutcomeUnknown)

    @property
    def operation(self) -> str:
        """The id that the ledger gives it."""
        return operation_id(self.owner, self.key)

    @property
    def result(self) -> OperationResult | None:
        return self.answer.result if isinstance(self.answer, Reservation) else None


class _Share:
    """Units of one level that one reservation held between two versions of it."""

    __slots__ = ("reservation", "since", "units", "until")

    def __init__(self, reservation: str, since: int, units: int) -> None:
        self.reservation = reservation
        self.units = units
        self.since = since
        self.until = ALWAYS


class HoldHistory:
    """``calls`` about reservations, by operation; ``log``: all events in order; ``reservations``: as they were read
    when all was over, or none to leave that out.
    """

    def __init__(
        self,
        calls: Mapping[str, Sequence[HoldInvocation]],
        log: Sequence[Event],
        reservations: Iterable[Reservation],
    ) -> None:
        self._reservations = {one.id: one for one in reservations}
        self._of = {operation: same[0].reservation for operation, same in calls.items()}
        self._of |= _swept(self._of.values(), {event.shard for event in log})
        self._ends_s = _ends(calls, {event.operation for event in log})
        self._shares: dict[Key, list[_Share]] = defaultdict(list)
        self._open: dict[tuple[Key, str], _Share] = {}
        self._seen: dict[tuple[Key, int], list[tuple[float, int]]] = {}
        self._released: list[str] = []
        for event in log:
            if event.operation in self._of:
                self._follow(event, self._of[event.operation])

    def violations(self) -> Iterator[tuple[str, str]]:
        """Kind and numbers: let go of twice, or held by none."""
        for what in self._released:
            yield "released", what
        for known, one in self._reservations.items():
            for line in one.lines:
                share = self._open.get(((line.location, line.sku), known))
                units = share.units if share is not None else 0
                if known in self._of.values() and units != line.reserved:
                    level = f"{line.sku} at {line.location}"
                    yield "leaked", f"reservation {known} holds {line.reserved} of {level}, its events say {units}"

    def overdue(self, key: Key, version: int, at_s: float) -> int:
        """Units of the level that are reserved at that version although their time was over at that moment, for sure:
        pending ones, whose reservation cannot have been given its time later than it was answered.
        """
        if (key, version) not in self._seen:
            shares = (share for share in self._shares.get(key, ()) if share.since <= version < share.until)
            self._seen[key, version] = [(self._ends_s.get(share.reservation, ALWAYS), share.units) for share in shares]
        return sum(units for ends_s, units in self._seen[key, version] if ends_s + CLOCKS_S < at_s)

    def _follow(self, event: Event, reservation: str) -> None:
        key = event.location, event.sku
        before = self._open.get((key, reservation))
        if before is not None:
            before.until = event.version
        units = (0 if before is None else before.units) + event.reserved_delta
        if units < 0:
            self._released.append(
                f"{reservation} let go of {-event.reserved_delta} of {key}, {-units} more than it had"
            )
        share = _Share(reservation, event.version, units)
        self._open[key, reservation] = share
        if event.kind == COMMIT:
            self._ends_s[reservation] = ALWAYS  # what was paid for has no end, and what was not is not told apart
        self._shares[key].append(share)


def _swept(known: Iterable[str], shards: Collection[int]) -> dict[str, str]:
    """The operations by which ledgers may let go of what is overdue, each by the reservation that it is about. Its key
    has the version that was found: one more for each call, and for each shard that its lines were let go of on.
    """
    parts = ("all", *shards)
    return {
        operation_id(SWEEPER, f"expire {one} {version} {part}"): one
        for one, calls in Counter(known).items()
        for version in range(1, calls + len(parts) + 1)
        for part in parts
    }


def _ends(calls: Mapping[str, Sequence[HoldInvocation]], stand: set[str]) -> dict[str, float]:
    """Of each reservation, the latest moment at which its time can be over. Never, if it is not known when a call that
    gave it time took effect.
    """
    ends_s: dict[str, float] = {}
    for operation, same in calls.items():
        ttl_s = same[0].ttl_s
        if ttl_s is not None and operation in stand:
            given_s = min((call.completed_s for call in same if call.result is not None), default=ALWAYS)
            known = same[0].reservation
            ends_s[known] = max(ends_s.get(known, NEVER), given_s + ttl_s)
    return ends_s
