"""Reads the metrics of every process, once a second while somebody looks, for all who look."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
from prometheus_client.parser import text_string_to_metric_families

from console.watched.metric_page import Reading, Sample
from console.watched.node import Watched, node_of, shown_name
from server.http.page import PageTooLarge, fetch
from server.tls.certificate import trusting

EVERY_S = 1.0
UNWATCHED_EVERY_S = 5.0
"""With nobody there the charts go on, at a fifth of the cost."""
DEADLINE_S = 0.8
"""For one process to answer: the next round is due after EVERY_S, whoever hangs."""
SILENT_S = 5.0
"""A process that is busy misses a round: it is away only after so long. One that nobody listens for is at once."""
KEPT = 64
"""Readings of each process: a minute's, for percentiles of what was counted in it."""


@dataclass(slots=True)
class Node:
    admin: str
    readings: deque[Reading] = field(default_factory=lambda: deque(maxlen=KEPT))
    answers: bool = False
    refusals: Mapping[str, Any] | None = None
    refusals_before: Mapping[str, Any] | None = None
    refusals_s: tuple[float, float] = (0.0, 0.0)
    """When the two were read, the older one first."""

    @property
    def now(self) -> Reading | None:
        return self.readings[-1] if self.answers and self.readings else None

    @property
    def before(self) -> Reading | None:
        return self.readings[-2] if self.answers and len(self.readings) > 1 else None

    @property
    def oldest(self) -> Reading | None:
        return self.readings[0] if len(self.readings) > 1 else None

    @property
    def own_name(self) -> str:
        return shown_name(self.admin, self.readings[-1] if self.readings else None)


class Nodes:
    """``urls``: of admin ports. ``looked_at``: whether somebody is there."""

    def __init__(self, urls: Sequence[str], looked_at: Callable[[], bool], ca_file: Path | None) -> None:
        self.nodes = [Node(url) for url in urls]
        self.rounds = 0
        self._looked_at = looked_at
        self._woken = asyncio.Event()
        self._ca_file = ca_file

    def wake(self) -> None:
        """Somebody came: what is shown must not be five seconds old."""
        self._woken.set()

    def watched(self) -> list[tuple[Node, Watched]]:
        """Each by its own name; where another has the same, with its address."""
        counts = Counter(node.own_name for node in self.nodes)
        names = [
            node.own_name if counts[node.own_name] == 1 else f"{node.own_name} {node.admin.split('://', 1)[-1]}"
            for node in self.nodes
        ]
        return [
            (node, Watched(name, node.admin, node.now, node.before))
            for node, name in zip(self.nodes, names, strict=True)
        ]

    def fields(self) -> list[dict[str, Any]]:
        return [node_of(watched) for _, watched in self.watched()]

    def by_name(self, name: str) -> tuple[Node, Watched] | None:
        return next((found for found in self.watched() if found[1].name == name), None)

    async def run(self) -> None:
        """Until cancelled."""
        verify = trusting(self._ca_file) if self._ca_file else True
        async with httpx.AsyncClient(timeout=DEADLINE_S, verify=verify) as http:
            while True:
                began = time.monotonic()
                await asyncio.gather(*(self._look(http, node) for node in self.nodes))
                self.rounds += 1
                await self._pause(began)

    async def act(self, node: Node, what: str) -> int:
        """POSTs to the admin port; returns the status. Raises httpx.HTTPError."""
        verify = trusting(self._ca_file) if self._ca_file else True
        async with httpx.AsyncClient(timeout=10.0, verify=verify) as http:
            return (await http.post(f"{node.admin}/{what}")).status_code

    async def _pause(self, began: float) -> None:
        every_s = EVERY_S if self._looked_at() else UNWATCHED_EVERY_S
        self._woken.clear()
        left_s = max(0.05, began + every_s - time.monotonic())
        if every_s == EVERY_S:
            await asyncio.sleep(left_s)
            return
        try:
            async with asyncio.timeout(left_s):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _look(self, http: httpx.AsyncClient, node: Node) -> None:
        try:
            async with asyncio.timeout(DEADLINE_S):
                metrics, ready = await fetch(http, f"{node.admin}/metrics"), await fetch(http, f"{node.admin}/readyz")
                if not metrics.ok:
                    raise ValueError(f"/metrics answers {metrics.status}")
                reading = read_page(metrics.text, time.monotonic(), ready=ready.ok)
                refusals = await self._refusals(http, node, reading)
        except (TimeoutError, httpx.TimeoutException):
            last = node.readings[-1].at_s if node.readings else -SILENT_S
            node.answers = node.answers and last > time.monotonic() - SILENT_S
            return
        except (httpx.HTTPError, httpx.InvalidURL, PageTooLarge, ValueError):
            node.answers = False
            return
        node.answers = True
        node.readings.append(reading)
        node.refusals_before, node.refusals = node.refusals, refusals
        node.refusals_s = node.refusals_s[1], reading.at_s

    async def _refusals(self, http: httpx.AsyncClient, node: Node, reading: Reading) -> Mapping[str, Any] | None:
        """A ledger's own list of who and what was refused; None of one that has none."""
        if "stockwire_ledger_version" not in reading.samples:
            return None
        answer = await fetch(http, f"{node.admin}/refusals")
        if not answer.ok:
            return None
        found: dict[str, Any] = orjson.loads(answer.text)
        return found


def read_page(text: str, at_s: float, *, ready: bool) -> Reading:
    """Raises ValueError for what is no page of metrics. A counter without any label yet counts as 0; a gauge without
    any says nothing: it was not measured."""
    samples: dict[str, list[Sample]] = {}
    for family in text_string_to_metric_families(text):
        if family.type == "counter":
            samples.setdefault(f"{family.name}_total", [])
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(Sample(sample.labels, sample.value))
    return Reading(at_s, ready, {name: tuple(found) for name, found in samples.items()})
