"""What `stockwire doctor` found: pure."""

import hashlib
import json
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from ledger.access.keys import ApiKey
from ledger.migrations.schema import Ledger, Schema, too_new, too_old
from server.version import VERSION, unpromised
from stockwire.cli.counted import counted
from wire.scopes import allows

WIDTH_MIN = 40
"""Columns: a terminal that says less (0 in a pipe) would have a report of single words."""
VERSION_MIN = 150000
"""PostgreSQL 14 has had its last release (November 2026)."""
VERSIONS_PATCHED = {18: 180006}
"""CVE-2026-14680, by major version: needs somebody else on the network, so a Unix socket is none of its business."""
SKEW_WARNING_S = 0.1
"""Latencies are the difference of two clocks, and good ones are a few ms: more than this, and they say nothing."""
SKEW_FAILED_S = 5.0
"""Tokens live for minutes and are checked by another machine's clock: seconds cut them short or prolong them."""
HARD_MIN, SOFT_MIN = 32 * 2**20, 8 * 2**20
"""Bytes, the broker's own defaults: a hub that stalls for a second or two is not cut off by them."""
FILES_MIN = 4096
"""Each client of a hub is an open file: the 1,024 that many shells give are soon used up."""
FILES_SHARE_MAX = 0.8
"""Of what a process may have open: beyond it, one reconnect storm uses up the rest."""
ENDS_SOON = timedelta(days=14)
"""Long enough to exchange a key on every till before it ends, holidays included."""
ENDING_SHOWN_MAX = 3
"""Named one by one; more would hide the rest of the report. `stockwire key list` has all."""
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Browsers take these for safe without TLS."""
TRIP_SLOW_MS = 500.0
"""A sound system takes tens; half a second is what people at a screen notice."""


class FindingState(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    """Works now; will hurt under load or on a bad day."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """Could not be looked at; ``detail`` says why."""


SIGNS = {FindingState.GOOD: "✓", FindingState.WARNING: "!", FindingState.FAILED: "✗", FindingState.SKIPPED: "–"}


@dataclass(frozen=True, slots=True)
class Finding:
    """``fix``: what to do about it; empty for what is good. ``paste``: a line for somewhere else, never wrapped."""

    check: str
    state: FindingState
    detail: str
    fix: str = ""
    paste: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    findings: Sequence[Finding]

    @property
    def good(self) -> bool:
        return all(finding.state is not FindingState.FAILED for finding in self.findings)

    def as_json(self) -> str:
        return json.dumps({"good": self.good, "findings": [asdict(finding) for finding in self.findings]}, indent=1)

    def as_text(self, width: int = 80) -> str:
        """Lines of at most ``width`` columns; what is too long goes on below its beginning."""
        lines = []
        for finding in self.findings:
            lines += _wrapped(f"{SIGNS[finding.state]} {finding.check}: {finding.detail}", "  ", width)
            if finding.fix:
                lines += _wrapped(f"    fix: {finding.fix}", " " * len("    fix: "), width)
            if finding.paste:
                lines.append(finding.paste)
        counts = Counter(finding.state for finding in self.findings)
        lines += ["", ", ".join(_counted(counts[state], state) for state in FindingState if counts[state])]
        return "\n".join(lines)


def _counted(number: int, state: FindingState) -> str:
    return counted(number, state.value) if state is FindingState.WARNING else f"{number} {state}"


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, WIDTH_MIN), subsequent_indent=indent, break_on_hyphens=False)


def version_finding(number: int, unix_socket: bool) -> Finding:
    """``number``: PostgreSQL's server_version_num, such as 180004."""
    shown = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < VERSION_MIN:
        return Finding("version", FindingState.FAILED, shown, f"upgrade to PostgreSQL {VERSION_MIN // 10000} or later")
    patched = VERSIONS_PATCHED.get(number // 10000, 0)
    if number < patched and not unix_socket:
        return Finding(
            "version", FindingState.WARNING, f"{shown} lacks the fix of CVE-2026-14680", "upgrade to 18.6 or later"
        )
    return Finding("version", FindingState.GOOD, shown)


def schema_finding(ledger: Ledger, schema: Schema | None) -> Finding:
    """Whether ledgers of this version may work on the database."""
    if schema is not None and ledger.is_too_old_for(schema):
        return Finding(
            "migrations", FindingState.FAILED, too_old(ledger, schema), f"upgrade to {schema.bears_version} or later"
        )
    if schema is None or ledger.is_too_new_for(schema):
        return Finding("migrations", FindingState.FAILED, too_new(ledger, schema), "stockwire migrate")
    shown = f"schema {schema.revision}, which bears ledgers that know {schema.bears} or later"
    if schema.revision < ledger.knows:
        behind = f"{shown}; stockwire {ledger.version} brings {ledger.knows}"
        return Finding("migrations", FindingState.WARNING, behind, "stockwire migrate")
    return Finding("migrations", FindingState.GOOD, shown)


def clock_finding(skew_s: float, uncertain_s: float) -> Finding:
    """``skew_s``: the database's clock minus ours, known to within ``uncertain_s``."""
    off = max(0.0, abs(skew_s) - uncertain_s)
    shown = f"the database's clock is {skew_s * 1000:+.0f} ms from ours (± {uncertain_s * 1000:.0f} ms)"
    fix = "run NTP or chrony on both machines"
    if off > SKEW_FAILED_S:
        return Finding("clocks", FindingState.FAILED, shown + ": tokens and latencies are wrong", fix)
    if off > SKEW_WARNING_S:
        return Finding("clocks", FindingState.WARNING, shown, fix)
    return Finding("clocks", FindingState.GOOD, shown)


def durability_finding(settings: dict[str, str]) -> Finding:
    """``settings``: fsync, full_page_writes, synchronous_commit as PostgreSQL states them."""
    off = [name for name, value in settings.items() if value == "off"]
    if off:
        return Finding(
            "durability", FindingState.FAILED, f"{', '.join(off)} off: sales can be lost", f"set {off[0]} = on"
        )
    return Finding("durability", FindingState.GOOD, "commits are on disk before they are answered")


def buffer_finding(limit: str) -> Finding:
    """``limit``: the client-output-buffer-limit as stated, such as ``normal 0 0 0 ... pubsub 33554432 8388608 60``."""
    words = limit.split()
    try:
        hard, soft, _seconds = (int(word) for word in words[words.index("pubsub") + 1 :][:3])
    except ValueError:
        return Finding("broker buffers", FindingState.SKIPPED, "the broker does not state its limits")
    small = [name for name, value, least in (("hard", hard, HARD_MIN), ("soft", soft, SOFT_MIN)) if 0 < value < least]
    shown = f"pubsub {hard // 2**20} MiB hard, {soft // 2**20} MiB soft"
    if small:
        fix = f"CONFIG SET client-output-buffer-limit 'pubsub {HARD_MIN} {SOFT_MIN} 60'"
        return Finding("broker buffers", FindingState.WARNING, f"{shown}: a short stall cuts the hubs off", fix)
    return Finding("broker buffers", FindingState.GOOD, shown)


@dataclass(frozen=True, slots=True)
class OpenFiles:
    """Of one process: how many it has open, how many it may have."""

    count: int
    most: int


def versions_finding(stated: Mapping[str, str]) -> Finding:
    """``stated``: the version of each process that says it, by name. This command is one more: it migrates."""
    if not stated:
        return Finding("versions", FindingState.SKIPPED, "no process states its version")
    all_stated = {**stated, "this command": VERSION}
    apart = unpromised(all_stated.values())
    if apart is not None:
        oldest, newest = (next(name for name, version in all_stated.items() if version == one) for one in apart)
        detail = f"{oldest} is {apart[0]} and {newest} is {apart[1]}: only a version and the one before work together"
        return Finding("versions", FindingState.FAILED, detail, f"upgrade {oldest}")
    return Finding("versions", FindingState.GOOD, ", ".join(sorted(set(stated.values()))))


def files_finding(stated: Mapping[str, OpenFiles]) -> Finding:
    """``stated``: by process name, of those that say so themselves."""
    check = "open files"
    if not stated:
        return Finding(check, FindingState.SKIPPED, "no process states how many it may have")
    fix = "LimitNOFILE=65536 in its unit, or ulimit -n 65536 where it is started; then start it again"
    name, least = min(stated.items(), key=lambda item: item[1].most)
    if least.most < FILES_MIN:
        detail = f"{name} may have {least.most:,}: a hub holds fewer clients than that"
        return Finding(check, FindingState.WARNING, detail, fix)
    name, fullest = max(stated.items(), key=lambda item: item[1].count / item[1].most)
    if fullest.count > FILES_SHARE_MAX * fullest.most:
        detail = f"{name} has {fullest.count:,} of {fullest.most:,} open: soon it takes no more clients"
        return Finding(check, FindingState.WARNING, detail, fix)
    return Finding(check, FindingState.GOOD, f"{least.most:,} for each process, {fullest.count:,} open at most")


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
        return Finding(
            "origins", FindingState.WARNING, "none is allowed: no page in a browser can watch or sell", example
        )
    for answer in answers:
        if not answer.allowed:
            fix = "give every ledger and hub the same STOCKWIRE_ALLOWED_ORIGINS as here, and start them again"
            return Finding("origins", FindingState.FAILED, f"{answer.who} turns pages of {answer.origin} away", fix)
    if "*" in allowed:
        return Finding("origins", FindingState.WARNING, "pages from anywhere may use what a token gives away", example)
    asked = len({answer.who for answer in answers})
    shown = f"{allowed[0]}" + (f" and {len(allowed) - 1} more" if len(allowed) > 1 else "")
    return Finding(
        "origins", FindingState.GOOD, f"{shown} allowed" + (f", answered by {asked} places" if asked else "")
    )


@dataclass(frozen=True, slots=True)
class BadgeScript:
    """``sha384``: of its bytes, in Base64. ``visitors``: whether its hub lets pages watch without a token."""

    url: str
    sha384: str
    visitors: bool = True


def badge_finding(scripts: Sequence[BadgeScript]) -> Finding:
    """``scripts``: of the hubs that serve one."""
    if not scripts:
        return Finding("badge", FindingState.SKIPPED, "no hub's read port that the ledger names serves one")
    first = scripts[0]
    hashes = {script.sha384 for script in scripts}
    # What is cached of before would not match the hash: another one is another address
    source = f"{first.url}?v={hashlib.sha256(first.sha384.encode()).hexdigest()[:8]}"
    line = f'<script type="module" src="{source}" integrity="sha384-{first.sha384}" crossorigin></script>'
    if len(hashes) > 1:
        detail = f"hubs serve {len(hashes)} different scripts: a page that names one's integrity loads no other"
        return Finding("badge", FindingState.WARNING, detail, "bring all hubs to one version", line)
    address = urlsplit(first.url)
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        detail = f"{address.netloc} is named without TLS: no page that has it loads a script from there"
        fix = "name read ports by https:// in STOCKWIRE_HUB_READ_URLS: docs/how-to/tls.md"
        return Finding("badge", FindingState.WARNING, detail, fix, line)
    watches = (
        ""
        if all(script.visitors for script in scripts)
        else ", and read once: STOCKWIRE_HUB_VISITORS=1 lets them watch"
    )
    return Finding("badge", FindingState.GOOD, f"pages load it by this line{watches}", paste=line)


def channels_address_finding(url: str, *, answers: bool) -> Finding:
    """``url``: where the ledger says that webhooks are made."""
    if answers:
        return Finding("channels address", FindingState.GOOD, f"answer at {url}, as discovery says")
    fix = "start `stockwire channels`, or set STOCKWIRE_CHANNELS_URL of the ledger to where they are"
    return Finding(
        "channels address", FindingState.FAILED, f"do not answer at {url}, where discovery says they are", fix
    )


Troubles = tuple[str, list[tuple[str, str]]]
"""The name of the check, and what is wrong, each with its fix."""


def troubles_findings(stated: Sequence[Troubles]) -> list[Finding]:
    """``stated``: by each `stockwire channels` and `exporter`. Most is said by all of a kind."""
    found: list[Finding] = []
    for check in dict.fromkeys(check for check, _ in stated):
        troubles = dict.fromkeys(trouble for name, one in stated if name == check for trouble in one)
        found += [Finding(check, FindingState.WARNING, detail, fix) for detail, fix in troubles]
        if not troubles:
            found.append(Finding(check, FindingState.GOOD, "nothing is wrong"))
    return found


def stored_keys_findings(keys: Sequence[ApiKey], now: datetime) -> list[Finding]:
    """That somebody can make keys over HTTP, and which keys are about to end."""
    active = [key for key in keys if key.is_active(now)]
    found = [Finding("admin key", FindingState.GOOD, "there is one")]
    if not any(allows(key.scopes, "admin") for key in active):
        fix = "stockwire key create NAME --scope admin"
        found = [Finding("admin key", FindingState.WARNING, "nobody has one: keys are made on the database only", fix)]
    ending = [key for key in active if key.expires_at is not None and key.expires_at - now < ENDS_SOON]
    if ending:
        shown = ", ".join(f"{key.id} of {key.owner} on {key.expires_at:%Y-%m-%d}" for key in ending[:ENDING_SHOWN_MAX])
        more = f" and {len(ending) - ENDING_SHOWN_MAX} more" if len(ending) > ENDING_SHOWN_MAX else ""
        fix = "make new ones (`stockwire key create`), exchange them, then `stockwire key revoke` the old"
        found.append(Finding("keys", FindingState.WARNING, f"end within {ENDS_SOON.days} days: {shown}{more}", fix))
    else:
        found.append(
            Finding("keys", FindingState.GOOD, f"{len(active):,} good, none ends within {ENDS_SOON.days} days")
        )
    return found


def hub_key_finding(status: int, document: Mapping[str, Any], now: datetime) -> Finding:
    """``status``, ``document``: what the ledger answers the hubs' key when it asks about itself."""
    fix = "stockwire key create hubs --scope hub, then set STOCKWIRE_HUB_KEY of every hub to it"
    if status == 401 or (status == 200 and not document.get("active")):
        return Finding("hub key", FindingState.FAILED, "the ledger does not know it, or it has ended", fix)
    if status == 403:
        return Finding("hub key", FindingState.FAILED, "it lacks the scope hub", fix)
    if status != 200:
        return Finding(
            "hub key", FindingState.FAILED, f"the ledger cannot say ({status}): {document.get('detail', '')}", fix
        )
    ends = document.get("expires_at")
    if ends is not None and datetime.fromisoformat(str(ends)) - now < ENDS_SOON:
        return Finding("hub key", FindingState.WARNING, f"ends at {ends}", fix)
    return Finding("hub key", FindingState.GOOD, "good, of scope hub")


def trip_finding(hub: str, took_ms: float | None, trouble: str | None, fresh: bool | None = None) -> Finding:
    """``took_ms``: from asking the ledger until the hub's client had it; None: not at all. ``trouble``: no snapshot.

    ``fresh``: what the hub says of itself; None: nothing yet.
    """
    check = f"round trip {hub}"
    if trouble is not None:
        fix = "start it (its log says why it is away), or take it out of STOCKWIRE_HUB_STREAM_URLS of the ledger"
        return Finding(check, FindingState.FAILED, trouble, fix)
    fix = "STOCKWIRE_REDIS_URL, STOCKWIRE_CHANNEL_PREFIX and STOCKWIRE_LEDGER_URLS of the hub must be of one system"
    if took_ms is None:
        return Finding(check, FindingState.FAILED, "a change that was committed has not been shown", fix)
    shown = f"a change was shown {took_ms:.1f} ms after it was asked for"
    if fresh is False:
        return Finding(
            check, FindingState.WARNING, f"{shown}, but it hears nothing of the broker and reads the log", fix
        )
    if took_ms > TRIP_SLOW_MS:
        return Finding(
            check, FindingState.WARNING, f"{shown}: screens follow late", "see `stockwire top` for what is busy"
        )
    return Finding(check, FindingState.GOOD, shown)
