"""What `stockwire doctor` found: pure."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum


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

    def as_text(self) -> str:
        lines = []
        for finding in self.findings:
            lines.append(f"{_SIGNS[finding.state]} {finding.check}: {finding.detail}")
            if finding.fix:
                lines.append(f"    fix: {finding.fix}")
        counts = {state: sum(f.state is state for f in self.findings) for state in State}
        lines.append("")
        lines.append(", ".join(f"{count} {state}" for state, count in counts.items() if count))
        return "\n".join(lines)


_SIGNS = {State.GOOD: "✓", State.WARNING: "!", State.FAILED: "✗", State.SKIPPED: "–"}


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


VERSION_MIN = 150000
VERSIONS_PATCHED = {18: 180006}
SKEW_WARNING_S, SKEW_FAILED_S = 0.1, 5.0
HARD_MIN, SOFT_MIN = 32 * 2**20, 8 * 2**20
FILES_MIN = 4096
