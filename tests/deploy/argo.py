"""What the controller of Argo Rollouts does with a Rollout and an AnalysisTemplate, as far as ours need it: steps of a
canary, measurements, their conditions and limits. Time goes ``FASTER`` times as fast: pauses, intervals, and windows of
queries.

After Argo's own: ``analysis/analysis.go`` (assessMetricStatus), ``utils/evaluate/evaluate.go`` and
``metricproviders/prometheus/prometheus.go``, https://github.com/argoproj/argo-rollouts.
"""

import asyncio
import logging
import operator
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import ceil

from tests.deploy.chart import Manifest
from tests.harness.prometheus import Prometheus

log = logging.getLogger(__name__)

FASTER = 20
CONDITION = re.compile(r"len\(result\) == 1 && result\[0\] (<=|>=|==|<|>) (\S+)")
"""The one form of condition that we write."""
COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq, "<": operator.lt, ">": operator.gt}
SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``phase``: Successful, Failed or Inconclusive. ``measured``: each answer and what it was, by metric."""

    phase: str
    metric: str
    measured: list[tuple[list[float], str]]


def seconds(duration: str) -> float:
    """That a duration of a manifest lasts here."""
    return int(duration[:-1]) * SECONDS[duration[-1]] / FASTER


async def analyse(template: Manifest, arguments: Mapping[str, str], prometheus: Prometheus) -> Verdict:
    """An AnalysisRun to its end: the first metric that is not Successful ends it."""
    runs = [asyncio.ensure_future(_measure(one, arguments, prometheus)) for one in template["spec"]["metrics"]]
    try:
        for run in asyncio.as_completed(runs):
            verdict = await run
            log.info("%s", verdict)
            if verdict.phase != "Successful":
                break
        return verdict
    finally:
        for one in runs:
            one.cancel()
        await asyncio.gather(*runs, return_exceptions=True)


async def _measure(metric: Manifest, arguments: Mapping[str, str], prometheus: Prometheus) -> Verdict:
    query = metric["provider"]["prometheus"]["query"]
    for name, value in arguments.items():
        query = query.replace(f"{{{{args.{name}}}}}", value)
    query = re.sub(r"\[(\d+[smh])\]", lambda found: f"[{seconds(found[1]) * 1_000:.0f}ms]", query)
    measured: list[tuple[list[float], str]] = []
    while (phase := assess(metric, [phase for _, phase in measured])) == "Running":
        if measured:
            await asyncio.sleep(seconds(metric["interval"]))
        result = [float(sample["value"][1]) for sample in await prometheus.query(query)]
        measured.append((result, evaluate(metric, result)))
    return Verdict(phase, metric["name"], measured)


def evaluate(metric: Manifest, result: list[float]) -> str:
    """Of one measurement."""
    success, failure = metric.get("successCondition"), metric.get("failureCondition")
    if failure and holds(failure, result):
        return "Failed"
    if success is None or holds(success, result):
        return "Successful"
    return "Inconclusive" if failure else "Failed"


def holds(condition: str, result: list[float]) -> bool:
    """NaN holds nothing, as in Argo's own expressions. Raises AssertionError for a form that it does not know."""
    form = CONDITION.fullmatch(condition)
    assert form, f"{condition} has a form that nothing here knows"
    return len(result) == 1 and bool(COMPARE[form[1]](result[0], float(form[2])))


def assess(metric: Manifest, phases: list[str]) -> str:
    """Of all measurements so far."""
    counted = Counter(phases)
    if counted["Failed"] > metric.get("failureLimit", 0):
        return "Failed"
    if counted["Inconclusive"] > metric.get("inconclusiveLimit", 0):
        return "Inconclusive"
    return "Successful" if len(phases) >= metric["count"] else "Running"


async def canary(
    rollout: Manifest,
    templates: Mapping[str, Manifest],
    revision: str,
    prometheus: Prometheus,
    to: Callable[[int, int], Awaitable[None]],
) -> Verdict | None:
    """A new ``revision`` by the steps of a Rollout. ``to(weight, pods)`` gives it its weight, in percent, and its pods.

    None: it went to the end. Else what ended it: then its weight is 0 again and its pods are gone.
    """
    replicas = rollout["spec"]["replicas"]
    for step in rollout["spec"]["strategy"]["canary"]["steps"]:
        ((kind, what),) = step.items()
        if kind == "setWeight":
            await to(what, ceil(replicas * what / 100))
        elif kind == "pause":
            await asyncio.sleep(seconds(what["duration"]))
        else:
            (template,) = (templates[one["templateName"]] for one in what["templates"])
            assert what["args"] == [{"name": "revision", "valueFrom": {"podTemplateHashValue": "Latest"}}]
            verdict = await analyse(template, {"revision": revision}, prometheus)
            if verdict.phase != "Successful":
                await to(0, 0)
                return verdict
    await to(100, replicas)
    return None
