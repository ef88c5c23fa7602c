"""Sends what is due to one channel, round after round: what a listing shall offer is computed when it is sent."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from secrets import token_hex
from typing import Any

from followers.database.database import Database, DatabaseAway
from followers.log.ledger import Ledger, LedgerAway
from followers.marketplaces.adapter import (
    Accepted,
    AccessRefused,
    Adapter,
    Applied,
    Outcome,
    Refused,
    RemoteAway,
    Stale,
    Target,
    Throttled,
    Unknown,
)
from followers.marketplaces.leased import LeasedChannel, LeftAlone
from followers.marketplaces.pushing import outgoing
from followers.marketplaces.pushing.offers import Offers
from followers.marketplaces.pushing.outgoing import Dead, Doubt, Outgoing, Row, Sending
from followers.marketplaces.pushing.planning import parted, plan
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.pushing.reading_back import ReadingBack
from followers.marketplaces.pushing.sending import send, send_many

PARALLEL = 4
"""Pushes to one channel at once: its quota says how fast, this how much waits for one answer."""
LOOK_AGAIN_S = 0.5
"""After so long a round ends with what it has sent, so that what became due meanwhile is ranked with the rest."""
IDLE_S = 1.0
AGAIN_S = 1.0
REASON_CHARACTERS_MAX = 1_000
BACKOFF_S, BACKOFF_S_MAX = 1.0, 300.0

Way = Callable[[Adapter, Sequence[Target]], Coroutine[Any, Any, list[Outcome]]]
"""By which targets go: ``send``, or ``send_many``."""

log = logging.getLogger(__name__)


def backoff_s(attempt: int) -> float:
    """Exponential, and jittered: between half and all of it."""
    return float(min(BACKOFF_S_MAX, BACKOFF_S * 2 ** min(attempt, 16)) * random.uniform(0.5, 1))


class Pushing:
    """A Work."""

    def __init__(self, database: Database, ledger: Ledger, pushes: Pushes) -> None:
        self._database = database
        self._ledger = ledger
        self._pushes = pushes

    def loops(self, leased: LeasedChannel) -> Mapping[str, Callable[[], Coroutine[Any, Any, None]]]:
        in_flight: set[str] = set()
        return {
            "pushing": Rounds(self._database, self._ledger, leased, in_flight, self._pushes).run,
            "reading back": ReadingBack(self._database, leased, in_flight).run,
        }


class Rounds:
    """Of one channel. ``in_flight``: listings that are being sent now."""

    def __init__(
        self, database: Database, ledger: Ledger, leased: LeasedChannel, in_flight: set[str], pushes: Pushes
    ) -> None:
        self._database = database
        self._leased = leased
        self._outgoing = Outgoing(database)
        self._offers = Offers(ledger)
        self._in_flight = in_flight
        self._pushes = pushes
        self._passed_over: dict[str, int] = {}
        self._not_before_s = 0.0

    async def run(self) -> None:
        """Until cancelled. Raises LeaseLost."""
        while True:
            await self._leased.ready()
            self._leased.due.clear()
            try:
                done = await self._round()
                wait_s = 0.0 if done else await self._idle_s()
            except (DatabaseAway, LedgerAway) as error:
                log.warning("a channel waits channel=%s reason=%r", self._leased.id, str(error))
                wait_s = AGAIN_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._leased.due.wait()
            except TimeoutError:
                continue

    async def _idle_s(self) -> float:
        next_s = await self._outgoing.next_in_s(self._leased.id)
        return IDLE_S if next_s is None or next_s <= 0 else min(IDLE_S, next_s)

    async def _round(self) -> int:
        """Returns how many were sent."""
        if (wait_s := self._not_before_s - time.monotonic()) > 0:
            await asyncio.sleep(min(wait_s, IDLE_S))
            return 0
        rows = {row.remote: row for row in await self._outgoing.due(self._leased.id)}
        if not rows:
            return 0
        offers = await self._offers.of(self._leased.channel, list(rows.values()))
        candidates = [row.candidate(offers[row.remote].quantity) for row in rows.values()]
        planned = plan(candidates, compares=self._leased.adapter.compares, passed_over=self._passed_over)
        rest = [(one.remote, rows[one.remote].changes) for one in planned.rest]
        waiting = [(one.remote, rows[one.remote].changes) for one in planned.wait]
        if rest or waiting:
            async with self._leased.writing(self._database) as connection:
                await outgoing.wait_for_orders(connection, self._leased.id, waiting)
                await outgoing.at_rest(connection, self._leased.id, rest)
        if planned.wait:
            self._leased.poll.set()
        adapter = self._leased.adapter
        alone, together = parted(planned.send, adapter.bulk_from, adapter.bulk)
        sent = await self._send_all([rows[one.remote] for one in alone])
        if together and sent == len(alone) and self._may_send:
            await self._send([rows[one.remote] for one in together], send_many)
            sent += len(together)
        left = [*alone, *together][sent:]
        self._passed_over = {one.remote: self._passed_over.get(one.remote, 0) + 1 for one in left}
        return sent

    @property
    def _may_send(self) -> bool:
        return self._leased.may_ask and self._not_before_s <= time.monotonic()

    async def _send_all(self, rows: Sequence[Row]) -> int:
        """In their order, some pushes at once; returns how many rows were begun before it was time to look again."""
        begun_s, at = time.monotonic(), 0
        size = self._leased.adapter.batch
        while at < len(rows) and self._may_send:
            if at and self._leased.due.is_set() and time.monotonic() - begun_s > LOOK_AGAIN_S:
                break
            batches = [rows[first : first + size] for first in range(at, min(len(rows), at + PARALLEL * size), size)]
            for error in await asyncio.gather(*map(self._send, batches), return_exceptions=True):
                if error is not None:
                    raise error  # when all have ended: what the others have sent is recorded
            at += sum(map(len, batches))
        return at

    async def _send(self, rows: Sequence[Row], way: Way = send) -> None:
        """One push. What it shall offer is read once more: time has passed since it was ranked."""
        offers = await self._offers.of(self._leased.channel, rows)
        planned = plan(
            [row.candidate(offers[row.remote].quantity) for row in rows],
            compares=self._leased.adapter.compares,
            passed_over={},
        )
        by_remote = {row.remote: row for row in rows}
        sendings = [
            Sending(
                one.remote,
                one.target,
                offers[one.remote].available,
                f"{self._leased.id}-{token_hex(8)}",
                by_remote[one.remote].changes,
                by_remote[one.remote].changed_at,
            )
            for one in planned.send
            if way is send or one.is_raise
        ]
        if not sendings:
            return
        self._in_flight.update(one.remote for one in sendings)
        try:
            async with self._leased.writing(self._database) as connection:
                begun = await outgoing.begin(connection, self._leased.id, sendings, self._leased.adapter.days)
            targets = [
                Target(
                    one.remote, one.quantity, by_remote[one.remote].sent, one.key, there.sent_today, there.day_left_s
                )
                for one in sendings
                if (there := begun.get(one.remote)) is not None
            ]
            if targets:
                outcomes = await self._push(targets, way)
                self._pushes.add(self._leased.id, outcomes)
                await self._record(by_remote, targets, outcomes)
        finally:
            self._in_flight.difference_update(one.remote for one in sendings)

    async def _push(self, targets: Sequence[Target], way: Way) -> Sequence[Outcome]:
        try:
            return await self._leased.ask(way, self._leased.adapter, targets)
        except (LeftAlone, AccessRefused):
            return [Throttled(0.0)] * len(targets)  # it goes on when the channel may be asked again
        except RemoteAway as error:
            log.warning("nobody knows what a channel took channel=%s reason=%r", self._leased.id, str(error))
            return [Unknown(str(error))] * len(targets)

    async def _record(self, rows: Mapping[str, Row], targets: Sequence[Target], outcomes: Sequence[Outcome]) -> None:
        """Until it is stored: if that takes longer than the lease, whoever holds the channel then reads it back."""
        while True:
            try:
                await self._store(rows, targets, outcomes)
                return
            except DatabaseAway as error:
                log.warning(
                    "what a channel took waits to be recorded channel=%s reason=%r", self._leased.id, str(error)
                )
                await asyncio.sleep(AGAIN_S)

    async def _store(self, rows: Mapping[str, Row], targets: Sequence[Target], outcomes: Sequence[Outcome]) -> None:
        channel = self._leased.id
        of: dict[type[Outcome], list[tuple[Target, Any]]] = {}
        for target, outcome in zip(targets, outcomes, strict=True):
            of.setdefault(type(outcome), []).append((target, outcome))
        async with self._leased.writing(self._database) as connection:
            if later := of.get(Accepted):
                doubts = [Doubt(target.remote, outcome.read_after_s) for target, outcome in later]
                await outgoing.in_doubt(connection, channel, "accepted", doubts)
            if doubtful := of.get(Unknown):
                doubts = [
                    Doubt(target.remote, backoff_s(rows[target.remote].attempt), outcome.reason[:REASON_CHARACTERS_MAX])
                    for target, outcome in doubtful
                ]
                await outgoing.in_doubt(connection, channel, "unknown", doubts)
            if refused := of.get(Refused):
                letters = [
                    Dead(target.remote, target.quantity, outcome.reason[:REASON_CHARACTERS_MAX])
                    for target, outcome in refused
                ]
                await outgoing.dead(connection, channel, letters)
            if stale := of.get(Stale):
                await outgoing.unexpected(connection, channel, [target.remote for target, _ in stale])
                self._leased.poll.set()
            if throttled := of.get(Throttled):
                waits = [(target.remote, outcome.after_s) for target, outcome in throttled]
                await outgoing.not_done(connection, channel, waits)
                self._not_before_s = max(self._not_before_s, time.monotonic() + pause_s(outcomes))
            if done := of.get(Applied):
                await outgoing.applied(connection, channel, [(target.remote, target.quantity) for target, _ in done])


def pause_s(outcomes: Sequence[Outcome]) -> float:
    """For how long nothing is pushed to the whole channel after these."""
    waits = (one.after_s for one in outcomes if isinstance(one, Throttled) and not one.alone)
    return max(map(outgoing.bounded_s, waits), default=0.0)
