"""The bounds that docs/design.md and the guides name are those of the code."""

from followers.exporter import auditing, hottest, violations
from followers.exporter import following as exporter_following
from followers.exporter.settings import LEVELS
from followers.marketplaces import breaker, checking, following
from followers.marketplaces.orders import notices
from followers.marketplaces.pushing import outgoing, rounds
from hub.entry.access import KEEP_S, RECHECK_S
from hub.fanout.delivery import PUMPED_PER_FLUSH_MAX
from hub.fanout.fanout import Bounds
from hub.feed.feed import POLL_SILENCE_S
from hub.limits import Limits
from hub.stock.sequence import GAP_GRACE_S, SETTLED_S
from hub.stock.shards import FRESH_S
from ledger.access.access import KEEP_S as LEDGER_KEEP_S
from ledger.commit.contention import LOCKED_BATCHES
from ledger.commit.queue import BATCH_LINES_MAX, QUEUE_AGE_MAX_S, QUEUE_LINES_MAX
from ledger.commit.remembered import REMEMBERED_LEVELS_MAX
from ledger.commit.writer import COMMIT_DEADLINE_S
from ledger.database.engine import SERVER_SETTINGS
from ledger.database.locations import KEEP_S as LOCATIONS_KEEP_S
from ledger.feed.heads import HEARTBEAT_S
from ledger.feed.long_polls import LONG_POLLS_MAX
from ledger.http.admission import HUBS_IN_FLIGHT_MAX
from ledger.limits import CONNECTIONS_MAX, IN_FLIGHT_MAX
from ledger.migrations import SHARDS_DEFAULT, SHARDS_MAX
from ledger.settings import RATE_PER_S_DEFAULT
from server.http.body_limits import BODY_DEADLINE_S
from server.http.connection import AHEAD_MAX, HEAD_BYTES_MAX, HEAD_DEADLINE_S, HEADERS_MAX
from server.http.server import KEEP_ALIVE_S
from server.rates.allowance import CREDIT_MIN, PAUSE_S, Policy
from server.rates.rate_limits import LATE_S, RENEWALS_AT_ONCE
from server.tokens import keys
from server.tokens.key_set import ALGORITHMS, KEYS_MAX, RSA_BITS, SET_BYTES_MAX
from server.tokens.keys import FETCH_S
from tests.docs.pages import text_of
from tests.harness.source import ROOT
from wire.tokens import LEEWAY_S

DOCS = ROOT / "docs"


def missing(page: str, *phrases: str) -> list[str]:
    text = " ".join(text_of(DOCS / page).split())
    return [phrase for phrase in phrases if phrase not in text]


def test_the_ledgers_bounds() -> None:
    assert not missing(
        "design.md",
        f"(default {SHARDS_DEFAULT}, at most {SHARDS_MAX})",
        f"lines in a batch ({BATCH_LINES_MAX:,}) and in the queue ({QUEUE_LINES_MAX:,}",
        f"waiting ({QUEUE_AGE_MAX_S:g} s), remembered levels ({REMEMBERED_LEVELS_MAX:,} for each writer)",
        f"`idle_in_transaction_session_timeout` ({SERVER_SETTINGS['idle_in_transaction_session_timeout'][:-1]} s)",
        f"`lock_timeout` ({SERVER_SETTINGS['lock_timeout'][:-1]} s)",
        f"Every {HEARTBEAT_S[0] * 1000:.0f} to {HEARTBEAT_S[1] * 1000:.0f} ms each ledger",
        f"Keys are looked up at most every {LEDGER_KEEP_S:g} s, locations at most every {LOCATIONS_KEEP_S:g} s",
    )
    assert LOCKED_BATCHES == 8
    assert not missing(
        "decisions/0001-group-commit.md",
        "until eight batches in a row",
        f"at most {REMEMBERED_LEVELS_MAX:,} per writer",
        f"for up to {COMMIT_DEADLINE_S:g} s",
    )


def test_the_limits_of_the_ledger() -> None:
    policy = Policy(RATE_PER_S_DEFAULT)
    assert not missing(
        "design.md",
        f"{RATE_PER_S_DEFAULT:,.0f} per second to all ledgers together, counted in Redis over {policy.window_s} s",
        f"{policy.block / policy.per_second * 1000:.0f} ms' worth in the background",
        f"at most {policy.overshoot / policy.per_second * 1000:.0f} ms' worth more for each ledger",
        f"{HEAD_BYTES_MAX // 1024} KiB in all and {HEADERS_MAX} headers",
        f"{HEAD_DEADLINE_S:g} s to send it, and {BODY_DEADLINE_S:g} s for a body",
        f"At most {AHEAD_MAX} requests ahead",
        f"is kept for {KEEP_ALIVE_S} s",
        f"**Connections**: {CONNECTIONS_MAX:,}.",
        f"**Requests under way**: {IN_FLIGHT_MAX}, long polls ({LONG_POLLS_MAX}) left out",
        f"room for {HUBS_IN_FLIGHT_MAX} more",
    )
    assert not missing(
        "decisions/0015-leased-rate-limits.md",
        f"as much as a block and at least {CREDIT_MIN}",
        f"{RENEWALS_AT_ONCE} owners at once",
        f"after {PAUSE_S[0] * 1000:.0f} ms to {PAUSE_S[1]:g} s",
        f"has not answered for {LATE_S * 1000:.0f} ms",
        f"({policy.overshoot:,} requests at the default)",
        f"and {Policy(50).overshoot} to {Policy(2_000).overshoot} for limits from 50 to 2,000 per second",
    )


def test_the_hubs_bounds() -> None:
    bounds, limits = Bounds(), Limits()
    assert not missing(
        "design.md",
        f"waits {GAP_GRACE_S * 1000:.0f} ms",
        f"Without a heartbeat for {POLL_SILENCE_S:g} s it polls the log; for {FRESH_S:g} s",
        f"below what was applied for {SETTLED_S:g} s",
        f"levels held ({bounds.levels_max:,}), of these watched by nobody ({bounds.idle_max:,}",
        f"over the rate ({limits.handshakes_per_s} a second after a burst of {limits.handshakes_burst:,})",
        f"more than {limits.unauthenticated_max:,} connections without a key",
        f"may have {limits.connections_per_owner_max:,} connections, event streams and reads",
        f"at most {PUMPED_PER_FLUSH_MAX} connections are written parts",
        f"head of a request ({HEAD_BYTES_MAX:,} bytes, {HEADERS_MAX} headers)",
        f"limited ({limits.send_buffer_bytes // 1024} KB)",
        f"Not drained within {limits.stall_s:g} s",
        f"kept for {KEEP_S:g} s",
        f"every {RECHECK_S:g} s",
    )
    assert not missing("how-to/when-things-break.md", f"good answer for {KEEP_S:g} s", f"again every {RECHECK_S:g} s")
    assert not missing("decisions/0006-no-relay-process.md", f"waits {GAP_GRACE_S * 1000:.0f} ms")


def test_the_bounds_of_channels() -> None:
    assert not missing(
        "design.md",
        f"after {breaker.FAILURES_MAX} failures in a row for {breaker.OPEN_S:g} s, doubled",
        f"doubled up to {breaker.OPEN_S_MAX:g} s, then one probe",
        f"looked at again every {checking.EVERY_S:g} s",
        f"more than {following.CAUGHT_UP_MAX:,} events behind",
        f"{notices.WAITING_MAX:,} notices or {notices.WAITING_BYTES_MAX // 2**20} MB wait for each channel",
        f"a round takes {outgoing.ROUND_MAX:,} rows, {rounds.PARALLEL} pushes to a channel",
    )


def test_the_bounds_of_the_exporter() -> None:
    rows_per_s = exporter_following.LEVELS_PAGE / exporter_following.LEVELS_EVERY_S
    assert exporter_following.BETWEEN_S == 0.25
    assert exporter_following.REREAD_EVERY_S == 0.5
    assert not missing(
        "design.md",
        f"-- {rows_per_s:,.0f} rows a second -->",
        f"-- {auditing.AGAIN_MAX} events of a shard, 2/s -->",
        f"{LEVELS:,} levels are known",
        f"{hottest.TRACKED_MAX:,} skus' paces over a minute",
        f"{violations.KEPT} violations of each invariant in words",
        "a quarter of a second apart unless they are full",
    )
    assert not missing(
        "how-to/production.md",
        f"{rows_per_s:,.0f} rows a second, so 100,000 levels in {100_000 / rows_per_s:.0f} s",
        f"newest {auditing.AGAIN_MAX} events of each shard a second time, another shard every half second",
    )


def test_the_bounds_of_tokens_and_key_sets() -> None:
    assert not missing(
        "how-to/tokens.md",
        f"{', '.join(ALGORITHMS[:-1])} or {ALGORITHMS[-1]}",
        f"at most {LEEWAY_S:g} s ahead",
        f"fetched again every {keys.REFRESH_S / 60:g} minutes",
        f"but at most every {keys.AGAIN_S:g} s",
        f"used for up to {keys.KEEP_S / 3600:g} hours",
        f"at most {SET_BYTES_MAX // 1024} KiB and {KEYS_MAX} keys, within {FETCH_S:g} s",
        f"RSA of {RSA_BITS[0]} bits or more",
    )
    assert not missing("decisions/0014-two-issuers.md", f"one each {keys.AGAIN_S:g} s")
