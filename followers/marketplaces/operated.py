"""Channels as whoever operates the process sees them: ``stockwire doctor`` shows what is wrong."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.core import Metric

from followers.database.database import DatabaseAway
from followers.log.ledger import KEY, LedgerAway
from followers.marketplaces.backlog import Backlog, Backlogs
from followers.marketplaces.following import Following
from followers.marketplaces.held import Held
from followers.marketplaces.pushing.pushes import Pushes
from followers.marketplaces.reconciling.comparing import DriftClass
from followers.operated import OURS, Trouble, named
from wire.scopes import READ, WRITE, allows


@dataclass(frozen=True, slots=True)
class Parts:
    """What counts something. ``scopes``: of the process's own key; ``good_keys``: those of these ids that were neither
    revoked nor have ended. Both raise LedgerAway.
    """

    held: Held
    following: Following
    pushes: Pushes
    backlogs: Backlogs
    scopes: Callable[[], Awaitable[Sequence[str]]]
    good_keys: Callable[[Sequence[str]], Awaitable[set[str]]]


class OperatedMarketplaces:
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
        held = self._parts.held.channels
        yield OURS.gauge("marketplaces_held", "Channels to marketplaces that this process works on.", len(held))
        yield OURS.gauges(
            "marketplace_away",
            "1 for a channel of this process that has not answered so often that it is left alone for a while.",
            "channel",
            {channel: leased.breaker.is_open for channel, leased in held.items()},
        )
        yield OURS.counters(
            "marketplace_pushes",
            "Listings that this process has sent to a channel, by outcome: applied; accepted (read back later); "
            "refused; stale (something else stood there); throttled (nothing was done); or unknown (read back first).",
            ("channel", "outcome"),
            self._parts.pushes.by_outcome(held),
        )
        if self._backlog is not None:
            yield from _counted_in(self._backlog)

    async def troubles(self) -> list[Trouble]:
        """That the database is away is said by webhooks' part."""
        found = list(self._of_this_process())
        try:
            return [*found, *await self._of_channels(), *await self._of_the_key(), *await self._of_owners()]
        except DatabaseAway:
            return found

    async def _of_the_key(self) -> list[Trouble]:
        """Where orders wait, since the ledger would not take them from us. Raises DatabaseAway."""
        locations = await self._parts.backlogs.locations()
        try:
            async with asyncio.timeout(KEYS_S):
                scopes = await self._parts.scopes() if locations else []
        except (LedgerAway, TimeoutError):
            return []
        needed = [scope + location for scope in (READ, WRITE) for location in locations]
        lacking = [one for one in needed if not allows(scopes, one)]
        detail = f"orders of channels cannot be booked: {KEY} lacks {named(lacking)}"
        return [Trouble(detail, KEY_FIX)] if lacking else []

    async def _of_owners(self) -> list[Trouble]:
        """What they sell goes on: listings that nobody lowers any more would be sold without stock."""
        owners = await self._parts.backlogs.owners()
        try:
            async with asyncio.timeout(KEYS_S):
                good = await self._parts.good_keys(sorted(owners)) if owners else set()
        except (LedgerAway, TimeoutError):
            return []
        left = sorted(channel for owner, channels in owners.items() if owner not in good for channel in channels)
        detail = f"channels go on whose API key was revoked or has ended: {named(left)}"
        return [Trouble(detail, OWNER_FIX)] if left else []

    def _of_this_process(self) -> Iterator[Trouble]:
        held = self._parts.held.channels
        if held and (why := self._parts.following.away):
            yield Trouble(f"marketplaces do not follow the log: {why}", "see that the ledger runs")
        if away := [channel for channel, leased in held.items() if leased.breaker.is_open]:
            fix = "it is asked again by itself, ever more rarely: `stockwire channel check NAME` asks now"
            yield Trouble(f"channels that are away: {named(away)}", fix)
        if left := [f"{channel} ({len(leased.left_out):,})" for channel, leased in held.items() if leased.left_out]:
            yield Trouble(f"orders that cannot be kept, and are booked nowhere: {named(left)}", LEFT_OUT_FIX)

    async def _of_channels(self) -> list[Trouble]:
        backlogs, found = self._parts.backlogs, []
        for channel, reason in await backlogs.stopped():
            fix = f"mend it with `stockwire channel set {channel}`: it goes on by itself"
            found.append(Trouble(f"channel {channel} is stopped: {reason}", fix))
        for channel, finding in await backlogs.found_wrong():
            found.append(Trouble(f"channel {channel}: {finding}", f"then `stockwire channel check {channel}`"))
        for channel, why in await backlogs.not_repaired():
            fix = f"see `stockwire reconcile {channel}`, which says what differs"
            found.append(Trouble(f"channel {channel} was not reconciled: {why}", fix))
        backlog = await backlogs.counted()
        for counts, (one, more), what, fix in (
            (backlog.dead, ("listing is", "listings are"), "refused for good", LETTERS_FIX),
            (
                backlog.oversold,
                ("line of orders is", "lines of orders are"),
                "oversold and settled by nobody",
                OVERSOLD_FIX,
            ),
            (backlog.unmapped, ("order has", "orders have"), "lines that are mapped to nothing", UNMAPPED_FIX),
        ):
            if names := [f"{channel} ({count:,})" for channel, count in sorted(counts.items()) if count]:
                count = sum(counts.values())
                found.append(Trouble(f"{count:,} {one if count == 1 else more} {what}: {named(names)}", fix))
        return found


LETTERS_FIX = "see `stockwire channel dead NAME`, mend the listings there, then `stockwire channel retry NAME`"
KEY_FIX = (
    "make one with `stockwire key create channels --scope hub --scope 'stock:read:*' --scope 'stock:write:*'`, and put "
    "it there"
)
KEYS_S = 3.0
"""A ledger that takes longer hides nothing else from whoever asks."""
LEFT_OUT_FIX = "the log of `stockwire channels` has them: book each by hand"
OWNER_FIX = "an admin's key changes them still; `stockwire channel pause NAME` ends what goes out"
OVERSOLD_FIX = "`stockwire channel oversold NAME` shows them, and books each or gives it up"
UNMAPPED_FIX = "`stockwire channel unmapped NAME` shows them, `stockwire channel map NAME` says what they are"


def _counted_in(backlog: Backlog) -> Iterator[Metric]:
    yield OURS.gauges(
        "marketplaces",
        "Channels to marketplaces in the database, by state. Absent when the database does not answer, as all that "
        "follow are.",
        "state",
        backlog.states,
    )
    yield OURS.gauges(
        "marketplace_listings",
        "Mapped listings that wait: due to be sent; accepted there, or unknown what became of it, and to be read back; "
        "or dead, which were refused for good.",
        ("channel", "state"),
        backlog.listings,
    )
    for name, text, counts in _by_channel(backlog):
        yield OURS.gauges(name, text, "channel", counts)
    yield OURS.gauges(
        "marketplace_drift",
        "Differences that stood in two reads and wait for somebody's decision or their repair, by class.",
        ("channel", "class"),
        {
            (channel, kind.value): backlog.drift.get((channel, kind), 0)
            for channel in backlog.channels
            for kind in DriftClass
        },
    )


def _by_channel(backlog: Backlog) -> Sequence[tuple[str, str, Mapping[str, float]]]:
    return (
        ("marketplace_orders_waiting", "Orders of which something is still to be booked or put back.", backlog.orders),
        ("marketplace_orders_unmapped", "Orders with a line that is mapped to nothing.", backlog.unmapped),
        (
            "marketplace_oversold",
            "Lines of orders that were sold there and were not here, and that nobody has settled.",
            backlog.oversold,
        ),
        ("marketplace_notices_waiting", "Notices that were stored and are not applied yet.", backlog.notices),
        (
            "marketplace_poll_age_seconds",
            "Since the end of the last whole poll of the channel's orders, or since the channel was made.",
            backlog.poll_age_s,
        ),
    )
