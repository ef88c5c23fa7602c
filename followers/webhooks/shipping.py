"""One shipment: some levels of one endpoint, or a notice, sent message after message until one is not taken."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from followers.log.ledger import Event, LedgerAway
from followers.webhooks import schedule
from followers.webhooks.attempts import Attempts
from followers.webhooks.events import AT_ONCE_MAX, Events, HistoryGone
from followers.webhooks.leased import Leased, Level
from followers.webhooks.message import Message, message_of
from followers.webhooks.outbox import Behind, Notice, Reached, Report, Tried
from followers.webhooks.planning import Parcel, Step, parcels_of, plan, types_of
from followers.webhooks.sender import Outcome, Sender
from followers.webhooks.signature import sign
from wire.availability import PublicSteps

TURN_S = 5.0
"""After which a shipment ends with what it has sent: what waits beside it gets its turn."""
LOG_AWAY_S = 2.0
"""Before a level is looked at again whose events could not be read."""
SLOW_S_MAX = 300.0
"""That a whole endpoint waits for one message, unless it asks for more: the schedule of one level goes on to days."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ended:
    """A shipment, before its end. ``outcome``: the failure, if it was one; ``levels``: of what was not taken then."""

    outcome: Outcome | None = None
    levels: frozenset[Level] = frozenset()


STOPPED = Ended()
"""No failure: what is left is sent at the next look."""


class Shipping:
    """``now_s``: the Unix time, which no jump of this machine's clock puts into the future. ``good``: whether an
    owner's key is."""

    def __init__(
        self,
        sender: Sender,
        events: Events,
        now_s: Callable[[], float],
        good: Callable[[str], bool],
        body_bytes_max: int,
    ) -> None:
        self.attempts = Attempts()
        self._sender = sender
        self._events = events
        self._now_s = now_s
        self._good = good
        self._body_bytes_max = body_bytes_max

    async def levels(self, leased: Leased, rows: Sequence[Behind], public: PublicSteps) -> Report:
        """What they are behind, in order by level: after a failure nothing more is sent of them."""
        report = Report(leased)
        reached = {row.level: row.sent_version for row in rows}
        ends = dict(reached)
        try:
            steps: list[Step] = []
            for row in rows:
                if len(steps) >= AT_ONCE_MAX:
                    break  # the others are looked at again: a shipment is held in memory while a receiver hangs
                found, ends[row.level] = await self._steps(leased, row, public)
                steps += found
            parcels = parcels_of(steps, leased.endpoint.batch, self._body_bytes_max)
        except (LedgerAway, HistoryGone) as error:
            log.warning("an endpoint waits endpoint=%s reason=%r", leased.endpoint.id, str(error))
            report.reached = [_waits(row, str(error)) for row in rows]
            return report
        ended = await self._parcels(leased, parcels, reached, report)
        if ended is None:
            reached = ends
        report.reached = [_reached(row, reached[row.level], ended) for row in rows]
        leased.alone.difference_update(
            one.level for one, row in zip(report.reached, rows, strict=True) if _went_on(one, row)
        )
        if ended is not None and ended.outcome is not None:
            slow_down(leased, ended.outcome, max(one.wait_s or 0.0 for one in report.reached))
        return report

    async def again(
        self, leased: Leased, events: Sequence[Event], epoch: str, public: PublicSteps, report: Report
    ) -> tuple[int, Outcome | None]:
        """Of a replay: how many of the events were sent or are not wanted, and the failure that ended it."""
        for taken, event in enumerate(events):
            sight = leased.interest.sight(event["location"], event["sku"])
            for type_ in types_of(leased.interest, event, public):
                assert sight is not None, "types are of what is seen"
                outcome = await self._attempt(leased, message_of(type_, event, epoch, sight, public), report)
                if outcome is None:
                    return taken, None
                if not schedule.is_success(outcome.status):
                    return taken, outcome
        return len(events), None

    async def notice(self, leased: Leased, notice: Notice) -> Report:
        """Of ``created_at``, so that its body stays the same."""
        timestamp = notice.created_at.isoformat().replace("+00:00", "Z")
        message = Message(notice.id, notice.type, timestamp, notice.data)
        report = Report(leased, notice=notice.id, notice_attempt=notice.attempt)
        outcome = await self._attempt(leased, message, report)
        if outcome is None:
            report.notice_wait_s = 0.0
        elif not schedule.is_success(outcome.status):
            report.notice_attempt += 1
            report.notice_wait_s = schedule.next_wait_s(report.notice_attempt, random.random(), outcome.retry_after_s)
            slow_down(leased, outcome, report.notice_wait_s)
        return report

    async def _steps(self, leased: Leased, row: Behind, public: PublicSteps) -> tuple[list[Step], int]:
        """And the version that they lead to."""
        sight = leased.interest.sight(*row.level)
        if sight is None:
            return [], row.newest_version  # its owner wants it no more
        after = row.sent_version if leased.interest.needs_history(sight) else row.newest_version - 1
        events = await self._events.between(row.level, row.epoch, after, row.newest_version)
        end: int = events[-1]["version"]
        newest = end == row.newest_version
        return plan(leased.interest, events, row.epoch, public, newest=newest), end

    async def _parcels(
        self, leased: Leased, parcels: Sequence[Parcel], reached: dict[Level, int], report: Report
    ) -> Ended | None:
        """What ended it before its end, if anything did. ``reached`` rises with each that was taken."""
        ends_s = time.monotonic() + TURN_S
        for parcel in parcels:
            if time.monotonic() > ends_s:
                return STOPPED
            was_well = leased.failing_since_s is None
            outcome = await self._attempt(leased, parcel.message, report)
            if outcome is None:
                return STOPPED
            if not schedule.is_success(outcome.status):
                if was_well and len(parcel.reaches) > 1:
                    leased.send_alone(parcel.reaches)
                return Ended(outcome, frozenset(parcel.reaches))
            for level, version in parcel.reaches.items():
                reached[level] = max(reached[level], version)
        return None

    async def _attempt(self, leased: Leased, message: Message, report: Report) -> Outcome | None:
        """None: nothing was sent, or it is not known; our lease is over, or the owner's key is no good any more."""
        if (wait_s := leased.wait_for_rate_s()) > 0:
            await asyncio.sleep(wait_s)
        if not leased.is_held or leased.leaving or leased.ended or not self._good(leased.endpoint.owner):
            return None
        now_s = self._now_s()
        body = message.body()
        headers = {
            "webhook-id": message.id,
            "webhook-timestamp": str(int(now_s)),
            "webhook-signature": sign(leased.keys.signing(now_s), message.id, int(now_s), body),
        }
        limit = asyncio.timeout_at(leased.lease.until_s)
        leased.limits.add(limit)
        outcome = None
        self.attempts.begun()
        try:
            async with limit:
                outcome = await self._sender.send(leased.endpoint.url, headers, body)
        except TimeoutError:
            return None
        finally:
            leased.limits.discard(limit)
            self.attempts.ended(outcome)
        report.tried.append(_tried(message, outcome, now_s))
        _stand(leased, outcome, now_s)
        return outcome


def _stand(leased: Leased, outcome: Outcome, now_s: float) -> None:
    if schedule.is_success(outcome.status):
        leased.failing_since_s = leased.failed_s = None
        return
    leased.failing_since_s = now_s if leased.failing_since_s is None else leased.failing_since_s
    leased.failed_s = now_s
    leased.ended = leased.ended or schedule.disables(outcome.status, leased.failing_since_s, leased.failed_s, now_s)


def _went_on(reached: Reached, row: Behind) -> bool:
    return reached.wait_s is None and reached.version > row.sent_version


def slow_down(leased: Leased, outcome: Outcome, wait_s: float) -> None:
    """The whole endpoint, if the answer says so. ``wait_s``: of the message that met it."""
    if schedule.slows(outcome.status):
        until_s = time.monotonic() + min(wait_s, max(SLOW_S_MAX, outcome.retry_after_s or 0.0))
        leased.slow_until_s = max(leased.slow_until_s, until_s)


def _reached(row: Behind, version: int, ended: Ended | None) -> Reached:
    """What was not sent yet when the shipment ended has not failed: it is looked at again at once."""
    before = row.attempt if version == row.sent_version else 0
    failed = ended.outcome if ended is not None and row.level in ended.levels else None
    if failed is None:
        return Reached(row.level, row.epoch, version, before)
    wait_s = schedule.next_wait_s(before + 1, random.random(), failed.retry_after_s)
    return Reached(row.level, row.epoch, version, before + 1, wait_s, failed.status, failed.failure)


def _waits(row: Behind, why: str) -> Reached:
    return Reached(row.level, row.epoch, row.sent_version, row.attempt, LOG_AWAY_S, None, why)


def _tried(message: Message, outcome: Outcome, now_s: float) -> Tried:
    return Tried(
        *(message.id, message.type, message.location, message.sku, message.version, now_s),
        *(outcome.status, outcome.failure, outcome.excerpt, round(outcome.elapsed_ms)),
    )
