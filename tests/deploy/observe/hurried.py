"""deploy/observe as it is, but for its durations: each is divided by one number, so that a test can wait for them.

Expressions, thresholds, labels, routes and inhibitions stay what they are. What a threshold says in seconds (a snapshot
of 10 s) is a value of a metric, and is not divided.
"""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.observe.rules import OBSERVE, RULES
from tests.harness.alertmanager import Alertmanager, Called, alertmanager, webhook
from tests.harness.prometheus import Prometheus, prometheus
from tests.harness.system import System

INTERVAL_S = 15
"""Between two scrapes, in deploy/observe/prometheus.yml."""
_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_DURATION = re.compile(r"(?<=[\[ ])(\d+)([smhd])(?=\]|\)|\s|$)")
_WAITS = ("group_wait", "group_interval", "repeat_interval")


@dataclass(frozen=True, slots=True)
class Watched:
    """``called``: by Alertmanager, at the one webhook of all receivers."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    called: Called

    async def firing(self) -> set[str]:
        """In Prometheus, whether Alertmanager tells of them or not."""
        return {one["labels"]["alertname"] for one in await self.prometheus.alerts() if one["state"] == "firing"}


@asynccontextmanager
async def watched(system: System, exporter: str, folder: Path, factor: float) -> AsyncIterator[Watched]:
    """Everything of ``system`` scraped once. ``exporter``: its admin URL."""
    targets = {
        "ledger": [ledger.admin for ledger in system.ledgers],
        "hub": [hub.admin for hub in system.hubs],
        "exporter": [exporter],
    }
    async with (
        webhook() as called,
        alertmanager(folder, alertmanager_configuration(called.url, factor)) as alerts,
        prometheus(
            folder, targets, rules=hurried(folder, factor), alertmanager=alerts.url, interval_s=INTERVAL_S / factor
        ) as found,
    ):
        await found.scraped(sum(map(len, targets.values())))
        yield Watched(found, alerts, called)


def hurried(folder: Path, factor: float) -> list[Path]:
    """The rules, written into ``folder``."""
    written = []
    for file in RULES:
        groups = yaml.safe_load(file.read_text())["groups"]
        for group in groups:
            if "interval" in group:
                group["interval"] = divided(group["interval"], factor)
            for rule in group["rules"]:
                rule["expr"] = divided(rule["expr"], factor)
                if "for" in rule:
                    rule["for"] = divided(rule["for"], factor)
        written.append(folder / file.name)
        written[-1].write_text(yaml.safe_dump({"groups": groups}))
    return written


def alertmanager_configuration(url: str, factor: float) -> str:
    """All receivers are ``url``."""
    found: dict[str, Any] = yaml.safe_load((OBSERVE / "alertmanager.yml").read_text())
    found["route"] |= {name: divided(found["route"][name], factor) for name in _WAITS}
    for receiver in found["receivers"]:
        receiver["webhook_configs"] = [{"url": url}]
    return yaml.safe_dump(found)


def divided(text: str, factor: float) -> str:
    """Every duration in an expression, or one that stands alone."""
    return re.sub(r"^ ", "", _DURATION.sub(lambda found: f"{int(found[1]) * _MS[found[2]] / factor:.0f}ms", f" {text}"))


def not_burning(names: set[str]) -> set[str]:
    """Of alerts: budgets are left to promtool's clock."""
    return {name for name in names if "Burn" not in name}
