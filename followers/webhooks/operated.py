"""Webhooks as whoever operates the process sees them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from prometheus_client.core import Metric

from followers.database.database import DatabaseAway
from followers.operated import OURS, Trouble, named
from followers.webhooks.attempts import Attempts
from followers.webhooks.backlog import Ailing, Backlog, Backlogs
from followers.webhooks.endpoints import DISABLED
from followers.webhooks.intake import Intake
from followers.webhooks.keeping import Keeping
from followers.webhooks.leased import Held

FAILING_LONG = timedelta(hours=1)
"""The first three retries are over by then: whoever restarts a receiver is back before."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What counts something."""

    held: Held
    keeping: Keeping
    intake: Intake
    attempts: Attempts
    backlogs: Backlogs


class OperatedWebhooks:
    """See ``followers.operated.Operated``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._backlog: Backlog | None = None

    async def refresh(self) -> None:
        try:
            self._backlog = await self._parts.backlogs.counted()
        except DatabaseAway:
            self._backlog = None

    def collect(self) -> Iterator[Metric]:
        yield from self._endpoints()
        yield from self._log()
        yield from self._attempts()

    async def troubles(self) -> list[Trouble]:
        """Of those of the database only that it is away, if it is."""
        found = list(self._of_this_process())
        try:
            return [*found, *await self._of_endpoints()]
        except DatabaseAway as error:
            return [*found, Trouble(str(error), "see that PostgreSQL runs, and takes STOCKWIRE_DATABASE_URL")]

    def _endpoints(self) -> Iterator[Metric]:
        if (backlog := self._backlog) is not None:
            yield OURS.gauges(
                "endpoints",
                "Webhooks in the database, by state. Absent when the database does not answer.",
                "state",
                backlog.endpoints,
            )
            yield OURS.gauge(
                "behind",
                "Levels that wait to be sent, counted for each webhook, of all processes. "
                "Absent when the database does not answer.",
                backlog.levels,
            )
        keeping = self._parts.keeping
        yield OURS.gauge("endpoints_held", "Webhooks that this process works on.", len(self._parts.held.endpoints))
        yield OURS.counter(
            "leases_lost",
            "Webhooks that this process could not keep in time; what it sent last may be sent again by another.",
            keeping.leases_lost,
        )
        yield OURS.gauge(
            "secrets_unopened",
            "Webhooks that are sent nothing, since no sealing key of this process opens their secret.",
            len(keeping.unopened()),
        )
        yield OURS.gauge("database_up", "1 while webhooks can be kept in the database.", keeping.away is None)

    def _log(self) -> Iterator[Metric]:
        intake = self._parts.intake
        yield OURS.gauge("log_up", "1 while the ledger's log is followed.", intake.away is None)
        yield OURS.gauges(
            "log_lag",
            "Events that the ledger had when it was last read, and that no webhook was told of yet; by shard.",
            "shard",
            intake.lags(),
        )
        yield OURS.gauge(
            "catching_up", "Webhooks of this process that do not stand where the log is read yet.", intake.catching_up
        )

    def _attempts(self) -> Iterator[Metric]:
        attempts = self._parts.attempts
        yield OURS.gauge("attempts_in_flight", "Messages that wait for their receiver's answer.", attempts.in_flight)
        yield OURS.counters(
            "attempts",
            "Messages sent, by outcome: taken (2xx), slowed (429, 502, 504: the whole webhook waits), refused (any "
            "other answer), unanswered, or cut_off because the webhook was no longer this process's.",
            "outcome",
            attempts.by_outcome,
        )
        yield OURS.histogram(
            "attempt_seconds",
            "From the beginning of an attempt until its answer was read, or until it failed.",
            attempts.seconds,
        )

    def _of_this_process(self) -> Iterator[Trouble]:
        if why := self._parts.keeping.away:
            yield Trouble(f"webhooks are not kept: {why}", "see that PostgreSQL runs, and takes STOCKWIRE_DATABASE_URL")
        if why := self._parts.intake.away:
            yield Trouble(f"the log is not followed: {why}", "see that the ledger of STOCKWIRE_URL runs")
        if unopened := self._parts.keeping.unopened():
            count = _counted(len(unopened), "is", "are")
            yield Trouble(
                f"{count} sent nothing, since no sealing key here opens the secret: {named(unopened)}",
                "put the key that sealed it back into STOCKWIRE_WEBHOOKS_SEALING_KEYS, below the newest; "
                "if it is gone, `stockwire webhooks rotate ID` makes a new secret",
            )

    async def _of_endpoints(self) -> list[Trouble]:
        backlogs, found = self._parts.backlogs, []
        if disabled := await backlogs.disabled():
            count = (await backlogs.counted()).endpoints[DISABLED]
            names = named([f"{one.id} ({one.host} {one.reason})" for one in disabled], count)
            fix = "when its receiver is well: stockwire webhooks resume ID, or remove ID"
            found.append(Trouble(f"{_counted(count, 'is', 'are')} disabled: {names}", fix))
        if failing := await backlogs.failing(FAILING_LONG):
            names = named([_since(one) for one in failing])
            fix = "stockwire webhooks log ID says what its receiver answers"
            found.append(Trouble(f"{_counted(len(failing), 'has', 'have')} met nothing but failures: {names}", fix))
        return found


def _counted(count: int, one: str, more: str) -> str:
    return f"1 webhook {one}" if count == 1 else f"{count:,} webhooks {more}"


def _since(ailing: Ailing) -> str:
    assert ailing.since is not None
    return f"{ailing.id} ({ailing.host} since {ailing.since:%Y-%m-%d %H:%M} UTC)"
