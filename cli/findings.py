"""What `stockwire doctor` found: pure."""

import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ledger.keys import ApiKey
from wire.scopes import allows


class State(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    """Works now; will hurt under load or on a bad day."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Could not be looked at; ``detail`` says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``fix``: what to do about it; empty for what is good."""

    check: str
    state: State
    detail: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    findings: Sequence[Finding]

    @property
    def good(self) -> bool:
        return all(finding.state is not State.FAILED for finding in self.findings)

    def as_json(self) -> str:
        return json.dumps({"good": self.good, "findings": [asdict(finding) for finding in self.findings]}, indent=1)

    def as_text(self, width: int = 80) -> str:
        """Lines of at most ``width`` columns; what is too long goes on below its beginning."""
        lines = []
        for finding in self.findings:
            lines += _wrapped(f"{SIGNS[finding.state]} {finding.check}: {finding.detail}", "  ", width)
            if finding.fix:
                lines += _wrapped(f"    fix: {finding.fix}", " " * len("    fix: "), width)
        counts = Counter(finding.state for finding in self.findings)
        lines += ["", ", ".join(f"{counts[state]} {state}" for state in State if counts[state])]
        return "\n".join(lines)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, WIDTH_MIN), subsequent_indent=indent, break_on_hyphens=False)


SIGNS = {State.GOOD: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "–"}
WIDTH_MIN = 40


def version_finding(number: int, unix_socket: bool) -> Finding:
    """``number``: PostgreSQL's server_version_num, such as 180004."""
    shown = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < VERSION_MIN:
        return Finding("version", State.FAILED, shown, f"upgrade to PostgreSQL {VERSION_MIN // 10000} or later")
    patched = VERSIONS_PATCHED.get(number // 10000, 0)
    if number < patched and not unix_socket:
        return Finding("version", State.WARNING, f"{shown} lacks the fix of CVE-2026-14680", "upgrade to 18.6 or later")
    return Finding("version", State.GOOD, shown)


def clock_finding(skew_s: float, uncertain_s: float) -> Finding:
    """``skew_s``: the database's clock minus ours, known to within ``uncertain_s``."""
    off = max(0.0, abs(skew_s) - uncertain_s)
    shown = f"the database's clock is {skew_s * 1000:+.0f} ms from ours (± {uncertain_s * 1000:.0f} ms)"
    fix = "run NTP or chrony on both machines"
    if off > SKEW_FAILED_S:
        return Finding("clocks", State.FAILED, shown + ": tokens and latencies are wrong", fix)
    if off > SKEW_WARNING_S:
        return Finding("clocks", State.WARNING, shown, fix)
    return Finding("clocks", State.GOOD, shown)


def durability_finding(settings: dict[str, str]) -> Finding:
    """``settings``: fsync, full_page_writes, synchronous_commit as PostgreSQL states them."""
    off = [name for name, value in settings.items() if value == "off"]
    if off:
        return Finding("durability", State.FAILED, f"{', '.join(off)} off: sales can be lost", f"set {off[0]} = on")
    return Finding("durability", State.GOOD, "commits are on disk before they are answered")


def buffer_finding(limit: str) -> Finding:
    """``limit``: the client-output-buffer-limit as stated, such as ``normal 0 0 0 ... pubsub 33554432 8388608 60``."""
    words = limit.split()
    try:
        hard, soft, _seconds = (int(word) for word in words[words.index("pubsub") + 1 :][:3])
    except ValueError:
        return Finding("broker buffers", State.SKIPPED, "the broker does not state its limits")
    small = [name for name, value, least in (("hard", hard, HARD_MIN), ("soft", soft, SOFT_MIN)) if 0 < value < least]
    shown = f"pubsub {hard // 2**20} MiB hard, {soft // 2**20} MiB soft"
    if small:
        fix = f"CONFIG SET client-output-buffer-limit 'pubsub {HARD_MIN} {SOFT_MIN} 60'"
        return Finding("broker buffers", State.WARNING, f"{shown}: a short stall cuts the hubs off", fix)
    return Finding("broker buffers", State.GOOD, shown)


def files_finding(soft: int) -> Finding:
    """``soft``: open files this process may have; -1: no limit."""
    shown = "no limit" if soft < 0 else f"{soft:,} open files"
    if 0 <= soft < FILES_MIN:
        fix = "ulimit -n 65536, or LimitNOFILE=65536 in the unit"
        return Finding("open files", State.WARNING, f"{shown}: a hub holds fewer clients than that", fix)
    return Finding("open files", State.GOOD, shown)


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether ``who`` (such as ``the ledger``) answers a page of ``origin``."""

    who: str
    origin: str
    allowed: bool


def origins_finding(allowed: Sequence[str], answers: Sequence[Answered]) -> Finding:
    """``allowed``: the setting here. ``answers``: what the processes do, of those that could be asked."""
    example = "set STOCKWIRE_ALLOWED_ORIGINS=https://shop.example (your pages) for ledgers and hubs"
    if not allowed:
        return Finding("origins", State.WARNING, "none is allowed: no page in a browser can watch or sell", example)
    for answer in answers:
        if not answer.allowed:
            fix = "give every ledger and hub the same STOCKWIRE_ALLOWED_ORIGINS as here, and start them again"
            return Finding("origins", State.FAILED, f"{answer.who} turns pages of {answer.origin} away", fix)
    if "*" in allowed:
        return Finding("origins", State.WARNING, "pages from anywhere may use what a token gives away", example)
    asked = len({answer.who for answer in answers})
    shown = f"{allowed[0]}" + (f" and {len(allowed) - 1} more" if len(allowed) > 1 else "")
    return Finding("origins", State.GOOD, f"{shown} allowed" + (f", answered by {asked} places" if asked else ""))


def stored_keys_findings(keys: Sequence[ApiKey], now: datetime) -> list[Finding]:
    """That somebody can make keys over HTTP, and which keys are about to end."""
    active = [key for key in keys if key.is_active(now)]
    found = [Finding("admin key", State.GOOD, "there is one")]
    if not any(allows(key.scopes, "admin") for key in active):
        fix = "stockwire key create NAME --scope admin"
        found = [Finding("admin key", State.WARNING, "nobody has one: keys are made on the database only", fix)]
    ending = [key for key in active if key.expires_at is not None and key.expires_at - now < ENDS_SOON]
    if ending:
        shown = ", ".join(f"{key.id} of {key.owner} on {key.expires_at:%Y-%m-%d}" for key in ending[:ENDING_SHOWN_MAX])
        more = f" and {len(ending) - ENDING_SHOWN_MAX} more" if len(ending) > ENDING_SHOWN_MAX else ""
        fix = "make new ones (`stockwire key create`), exchange them, then `stockwire key revoke` the old"
        found.append(Finding("keys", State.WARNING, f"end within {ENDS_SOON.days} days: {shown}{more}", fix))
    else:
        found.append(Finding("keys", State.GOOD, f"{len(active):,} good, none ends within {ENDS_SOON.days} days"))
    return found


def hub_key_finding(status: int, document: Mapping[str, Any], now: datetime) -> Finding:
    """``status``, ``document``: what the ledger answers the hubs' key when it asks about itself."""
    fix = "stockwire key create hubs --scope hub, then set STOCKWIRE_HUB_KEY of every hub to it"
    if status == 401 or (status == 200 and not document.get("active")):
        return Finding("hub key", State.FAILED, "the ledger does not know it, or it has ended", fix)
    if status == 403:
        return Finding("hub key", State.FAILED, "it lacks the scope hub", fix)
    if status != 200:
        return Finding("hub key", State.FAILED, f"the ledger cannot say ({status}): {document.get('detail', '')}", fix)
    ends = document.get("expires_at")
    if ends is not None and datetime.fromisoformat(str(ends)) - now < ENDS_SOON:
        return Finding("hub key", State.WARNING, f"ends at {ends}", fix)
    return Finding("hub key", State.GOOD, "good, of scope hub")


def trip_finding(hub: str, took_ms: float | None, trouble: str | None, fresh: bool | None = None) -> Finding:
    """``took_ms``: from asking the ledger until the hub's client had it; None: not at all. ``trouble``: no snapshot.

    ``fresh``: what the hub says of itself; None: nothing yet.
    """
    check = f"round trip {hub}"
    if trouble is not None:
        fix = "start it (its log says why it is away), or take it out of STOCKWIRE_HUB_STREAM_URLS of the ledger"
        return Finding(check, State.FAILED, trouble, fix)
    fix = "STOCKWIRE_REDIS_URL, STOCKWIRE_CHANNEL_PREFIX and STOCKWIRE_LEDGER_URLS of the hub must be of one system"
    if took_ms is None:
        return Finding(check, State.FAILED, "a change that was committed has not been shown", fix)
    shown = f"a change was shown {took_ms:.1f} ms after it was asked for"
    if fresh is False:
        return Finding(check, State.WARNING, f"{shown}, but it hears nothing of the broker and reads the log", fix)
    if took_ms > TRIP_SLOW_MS:
        return Finding(check, State.WARNING, f"{shown}: screens follow late", "see `stockwire top` for what is busy")
    return Finding(check, State.GOOD, shown)


VERSION_MIN = 150000
VERSIONS_PATCHED = {18: 180006}
SKEW_WARNING_S, SKEW_FAILED_S = 0.1, 5.0
HARD_MIN, SOFT_MIN = 32 * 2**20, 8 * 2**20
FILES_MIN = 4096
ENDS_SOON = timedelta(days=14)
ENDING_SHOWN_MAX = 3
TRIP_SLOW_MS = 500.0
