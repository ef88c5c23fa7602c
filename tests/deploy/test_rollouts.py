"""What Argo Rollouts is given: the same pods, and questions that Prometheus can answer."""

import re
from math import nan

import pytest

from server.histogram import BOUNDS_S
from tests.deploy.argo import assess, evaluate
from tests.deploy.chart import (
    CHART,
    NAMESPACE,
    RELEASE,
    ROLLOUT,
    ROLLOUTS,
    SERVERS,
    Manifest,
    changed,
    of_kind,
    rendered,
)
from tests.harness.metrics import described_metrics

pytestmark = pytest.mark.usefixtures("processes")

BLUE_GREEN = {"rollouts": {**ROLLOUTS["rollouts"], "strategy": "blueGreen"}}
SELECTED = re.compile(r"(stockwire_\w+)\{([^}]*\{\{args\.revision\}\}[^}]*|[^}]*)\}")


def rolled(name: str = "operator") -> list[Manifest]:
    return changed(name, ROLLOUTS)


def test_ledgers_and_hubs_are_the_same_pods_by_a_rollout_and_the_others_stay_deployments() -> None:
    manifests = rolled()
    rollouts = of_kind(manifests, ROLLOUT)
    deployments = of_kind(rendered("operator"), SERVERS)
    assert set(rollouts) == {"ledger", "hub"}
    assert set(of_kind(manifests, SERVERS)) == {"console", "channels", "exporter", "relay", "intake"}
    for component, rollout in rollouts.items():
        before, now = deployments[component]["spec"], rollout["spec"]
        for spread in now["template"]["spec"]["topologySpreadConstraints"]:
            assert spread["matchLabelKeys"] == ["rollouts-pod-template-hash"], "Argo's label, not that of a Deployment"
            spread["matchLabelKeys"] = ["pod-template-hash"]
        assert now["template"] == before["template"]
        assert (now["selector"], now.get("replicas")) == (before["selector"], before.get("replicas"))
        assert now["progressDeadlineAbort"], "one that never gets ready stays for ever"


@pytest.mark.parametrize("name", ["operator", "managed"])
def test_hubs_that_grow_are_those_of_the_rollout(name: str) -> None:
    (scaler,) = of_kind(rolled(name), "HorizontalPodAutoscaler", "ScaledObject").values()
    target = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": f"{RELEASE}-hub"}
    assert scaler["spec"]["scaleTargetRef"] == target


def test_a_canary_gets_its_weight_at_every_rule_of_its_route_and_rises_only_when_it_was_judged() -> None:
    manifests = rolled()
    services = of_kind(manifests, "Service")
    for component, rollout in of_kind(manifests, ROLLOUT).items():
        canary = rollout["spec"]["strategy"]["canary"]
        name = f"{RELEASE}-{component}"
        assert (canary["stableService"], canary["canaryService"]) == (name, f"{name}-next")
        (plugin,) = canary["trafficRouting"]["plugins"].values()
        assert plugin == {"httpRoute": name, "namespace": NAMESPACE}
        assert services[f"{component}-next"]["spec"] == services[component]["spec"]
        for rule in of_kind(manifests, "HTTPRoute")[component]["spec"]["rules"]:
            weights = {backend["name"]: backend["weight"] for backend in rule["backendRefs"]}
            assert weights == {name: 100, f"{name}-next": 0}
        kinds = [next(iter(step)) for step in canary["steps"]]
        assert kinds == ["setWeight", "pause", "analysis"] * 3
        assert [step["setWeight"] for step in canary["steps"][::3]] == [5, 25, 50]
        assert {step["analysis"]["templates"][0]["templateName"] for step in canary["steps"][2::3]} == {name}
    for component in ("console", "channels"):
        for rule in of_kind(manifests, "HTTPRoute")[component]["spec"]["rules"]:
            assert len(rule["backendRefs"]) == 1


def test_without_routes_weights_are_whole_pods() -> None:
    manifests = changed("operator", {**ROLLOUTS, "routes": {"enabled": False}})
    for rollout in of_kind(manifests, ROLLOUT).values():
        canary = rollout["spec"]["strategy"]["canary"]
        assert not canary.keys() & {"trafficRouting", "canaryService", "stableService"}


def test_blue_and_green_are_judged_before_if_they_can_be_and_after_while_blue_is_there() -> None:
    manifests = changed("operator", BLUE_GREEN)
    judged_s = 60 * 5
    for component, rollout in of_kind(manifests, ROLLOUT).items():
        strategy = rollout["spec"]["strategy"]["blueGreen"]
        name = f"{RELEASE}-{component}"
        assert (strategy["activeService"], strategy["previewService"]) == (name, f"{name}-next")
        assert ("prePromotionAnalysis" in strategy) == (component == "hub"), "a ledger that nobody asks shows nothing"
        assert strategy["postPromotionAnalysis"]["templates"] == [{"templateName": name}]
        assert strategy["scaleDownDelaySeconds"] > judged_s
        for rule in of_kind(manifests, "HTTPRoute")[component]["spec"]["rules"]:
            assert [backend["name"] for backend in rule["backendRefs"]] == [name]


def test_what_is_asked_are_metrics_that_there_are_with_the_label_that_is_scraped() -> None:
    manifests = rolled()
    known = {name: row for title in ("Ledger", "Hub", "Exporter") for name, row in described_metrics(title).items()}
    for component, analysis in of_kind(manifests, "AnalysisTemplate").items():
        monitor = of_kind(manifests, "PodMonitor")[component]["spec"]
        assert monitor["podTargetLabels"] == ["rollouts-pod-template-hash"]
        for metric in analysis["spec"]["metrics"]:
            query = metric["provider"]["prometheus"]["query"]
            asked = SELECTED.findall(query)
            assert asked, query
            for name, selector in asked:
                labels = set(re.findall(r'(\w+)=~?"', selector)) - {"namespace", "rollouts_pod_template_hash", "le"}
                family = re.sub("_(bucket|count|sum)$", "", name)
                assert labels <= known[family][1], f"{name} has no {labels}"
                new = 'rollouts_pod_template_hash="{{args.revision}}"' in selector
                assert new == (not name.startswith("stockwire_audit_")), "it would judge the old ones too"
    assert "rollouts-pod-template-hash" not in str(of_kind(manifests, "PodMonitor")["exporter"])


def test_lateness_is_asked_at_a_bound_that_is_counted() -> None:
    allowed = re.search(r'"lateSeconds": \{.*"enum": \[([^]]+)\]', (CHART / "values.schema.json").read_text())
    assert allowed
    assert {float(text) for text in allowed[1].split(", ")} <= set(BOUNDS_S)
    for bound in ("0.25", "1.0"):
        limits = {"rollouts": {**ROLLOUTS["rollouts"], "limits": {"lateSeconds": float(bound)}}}
        analysis = of_kind(changed("operator", limits), "AnalysisTemplate")["hub"]
        assert f'le="{bound}"' in str(analysis), "as the hub writes it"


def test_without_an_exporter_nothing_is_asked_of_it() -> None:
    manifests = changed("operator", {**ROLLOUTS, "exporter": {"enabled": False}})
    analysis = of_kind(manifests, "AnalysisTemplate")["ledger"]
    assert [metric["name"] for metric in analysis["spec"]["metrics"]] == ["answered"]


def test_what_prometheus_cannot_say_is_neither_good_nor_bad_and_stops_a_canary_where_it_is() -> None:
    analyses = of_kind(rolled(), "AnalysisTemplate")
    metrics = {f"{one} {m['name']}": m for one, analysis in analyses.items() for m in analysis["spec"]["metrics"]}
    for name, metric in metrics.items():
        assert metric["consecutiveErrorLimit"] >= 1_000_000, "a Prometheus that is away for minutes would end it"
        nothing = "Successful" if name == "hub answered" else "Inconclusive"
        assert [evaluate(metric, result) for result in ([], [nan], [0.0], [1.0])] == [
            nothing,
            nothing,
            "Successful",
            "Failed",
        ]
        assert metric["count"] > metric["failureLimit"]
        if nothing == "Inconclusive":
            assert assess(metric, ["Inconclusive"] * 2) == "Running"
            assert assess(metric, ["Inconclusive"] * 3) == "Inconclusive"
    assert assess(metrics["ledger audit"], ["Failed"]) == "Failed", "one violation is too many"
    assert assess(metrics["ledger answered"], ["Failed", "Successful", "Failed"]) == "Running"
    assert assess(metrics["ledger answered"], ["Failed", "Successful", "Failed", "Failed"]) == "Failed"
    assert assess(metrics["ledger answered"], ["Successful"] * 5) == "Successful"
