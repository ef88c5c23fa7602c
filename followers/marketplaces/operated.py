"""What is wrong with channels, for whoever operates the process: ``stockwire doctor`` shows it."""

from collections.abc import Callable, Iterator

from prometheus_client.core import Metric

from followers.database.database import Database, DatabaseAway
from followers.operated import OURS, Trouble, named

LETTERS_FIX = "see `stockwire channel dead NAME`, mend the listings there, then `stockwire channel retry NAME`"
SHOWN_MAX = 20
"""Channels with something to say; more would hide all else."""


class OperatedMarketplaces:
    """``held``: how many channels this process works on. ``away``: why the log is not followed for them, or None."""

    def __init__(self, database: Database, held: Callable[[], int], away: Callable[[], str | None]) -> None:
        self._database = database
        self._held = held
        self._away = away
        self._counts: dict[str, int] | None = None

    async def refresh(self) -> None:
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(_COUNTS)
            self._counts = {name: int(value) for name, value in row.items()}
        except DatabaseAway:
            self._counts = None

    def collect(self) -> Iterator[Metric]:
        yield OURS.gauge("marketplaces_held", "Channels to marketplaces that this process works on.", self._held())
        if self._counts is not None:
            counts = self._counts
            states = {state: counts[state] for state in ("enabled", "paused", "stopped")}
            yield OURS.gauges(
                "marketplaces",
                "Channels to marketplaces in the database, by state. Absent when the database does not answer.",
                "state",
                states,
            )
            listings = {state: counts[state] for state in ("rest", "due", "accepted", "unknown", "dead")}
            yield OURS.gauges(
                "marketplace_listings",
                "Mapped listings of all channels, by what becomes of what they offer: dead ones were refused for good. "
                "Absent when the database does not answer.",
                "state",
                listings,
            )

    async def troubles(self) -> list[Trouble]:
        """That the database is away is said by webhooks' part."""
        away = self._away() if self._held() else None
        found = [Trouble(f"marketplaces do not follow the log: {away}", "see that the ledger runs")] if away else []
        try:
            async with self._database.transaction() as connection:
                channels = await connection.fetch(_CHANNELS, SHOWN_MAX)
                dead = await connection.fetch(_DEAD)
        except DatabaseAway:
            return found
        for row in channels:
            if row["state"] == "stopped":
                fix = f"mend it with `stockwire channel set {row['id']}`: it goes on by itself"
                found.append(Trouble(f"channel {row['id']} is stopped: {row['reason']}", fix))
            for finding in row["findings"]:
                found.append(Trouble(f"channel {row['id']}: {finding}", f"then `stockwire channel check {row['id']}`"))
        if dead:
            letters = sum(row["letters"] for row in dead)
            names = named([row["channel"] for row in dead])
            found.append(Trouble(f"{letters} listings are refused for good at {names}", LETTERS_FIX))
        return found


_CHANNELS = """
select id, state, reason, findings from channel
 where state = 'stopped' or state = 'enabled' and findings <> '{}' order by id limit $1
"""
_DEAD = "select channel, count(*) as letters from outgoing where state = 'dead' group by channel order by channel"
_COUNTS = """
select (select count(*) from channel where state = 'enabled') as enabled,
       (select count(*) from channel where state = 'paused') as paused,
       (select count(*) from channel where state = 'stopped') as stopped,
       count(*) filter (where state = 'rest') as rest, count(*) filter (where state = 'due') as due,
       count(*) filter (where state = 'accepted') as accepted, count(*) filter (where state = 'unknown') as unknown,
       count(*) filter (where state = 'dead') as dead
  from outgoing
"""
