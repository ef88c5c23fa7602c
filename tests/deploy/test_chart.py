"""The Helm chart: Kubernetes takes what it renders, and what it renders is what our processes take."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from typer.main import get_command

from console.following.ledger import SCOPES as CONSOLE_SCOPES
from console.settings import read_settings as read_console_settings
from followers.exporter.settings import read_settings as read_exporter_settings
from followers.intake.process import SCOPES as INTAKE_SCOPES
from followers.intake.settings import read_settings as read_intake_settings
from followers.relay.process import SCOPES as RELAY_SCOPES
from followers.relay.settings import read_settings as read_relay_settings
from followers.settings import read_settings as read_channels_settings
from hub.settings import read_settings as read_hub_settings
from hub.stream.stream import PATH as STREAM_PATH
from ledger.settings import read_settings as read_ledger_settings
from server.settings.environment import Environment
from stockwire.cli.program import program
from tests.deploy.chart import (
    CHART,
    CUSTOM,
    MOUNTED,
    NAMESPACE,
    RELEASE,
    ROLLOUTS,
    SERVERS,
    VALUES,
    Manifest,
    changed,
    container_of,
    environment_of,
    helm,
    lay_out,
    mounts,
    of_kind,
    pods,
    rendered,
)
from tests.deploy.dockerfile import only
from tests.deploy.observe.rules import RULES
from tests.harness.node import NODE
from tests.harness.node_peers import need_node_peer
from tests.harness.openapi import document
from tests.harness.peers import need_peer
from tests.harness.source import REFERENCE, ROOT, code_names, rows
from tests.harness.waiting import PATIENCE_S
from tests.server.tls.certificates import Authority

pytestmark = pytest.mark.usefixtures("processes")

JUDGES = ROOT / "tests" / "deploy" / "kubernetes"
READ: dict[str, Any] = {
    "ledger": read_ledger_settings,
    "hub": read_hub_settings,
    "console": read_console_settings,
    "channels": read_channels_settings,
    "exporter": read_exporter_settings,
    "relay": read_relay_settings,
    "intake": read_intake_settings,
}
KEYS = ("hub", "console", "channels", "exporter", "relay", "intake")
SECRETS = {
    "database": "postgresql://stockwire:secret@db/stockwire",
    "broker": "redis://:secret@valkey:6379/0",
    "token": "0" * 64,
    "sealingKeys": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "relayPassword": "secret",
    "intakePassword": "secret",
    **{f"{name}Key": f"sw_{'a' * 12}_{'b' * 43}" for name in KEYS},
}
every_file = pytest.mark.parametrize("name", VALUES)


def all_rendered() -> list[Manifest]:
    return [manifest for name in VALUES for manifest in rendered(name)]


def judged(command: list[str], manifests: list[Manifest]) -> list[str]:
    done = subprocess.run(
        command, input=json.dumps(manifests), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def is_custom(manifest: Manifest) -> bool:
    return manifest["apiVersion"].split("/")[0] in CUSTOM


@every_file
def test_helm_finds_nothing_to_complain_about(name: str) -> None:
    done = helm("lint", "--strict", str(CHART), "--values", str(VALUES[name]))
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in (done.stdout + done.stderr).splitlines() if "[" in line or "level=" in line]
    assert said == ["[INFO] Chart.yaml: icon is recommended"]


def test_the_three_newest_versions_of_kubernetes_take_all_of_it() -> None:
    planted = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "planted"}, "spec": {"ports": [{"prt": 1}]}}
    manifests = [manifest for manifest in all_rendered() if not is_custom(manifest)]
    command = [str(need_peer("kubernetes")), str(JUDGES / "manifests.py"), "3"]
    versions, *wrong = judged(command, [*manifests, planted])
    assert len(versions.split()) == 3
    assert [line for line in wrong if "planted" not in line] == []
    assert len(wrong) == 3, "a misspelt field would pass"


def test_custom_resources_are_as_their_projects_publish_them() -> None:
    strategies: list[dict[str, Any]] = [{}, {"strategy": "blueGreen"}]
    rolled = [one for more in strategies for one in changed("managed", {"rollouts": ROLLOUTS["rollouts"] | more})]
    manifests = [manifest for manifest in (*all_rendered(), *rolled) if is_custom(manifest)]
    kinds = {manifest["kind"] for manifest in manifests}
    argo = {"Rollout", "AnalysisTemplate"}
    assert kinds == {"HTTPRoute", "BackendTLSPolicy", "PodMonitor", "PrometheusRule", "ScaledObject"} | argo
    planted = json.loads(json.dumps(next(one for one in manifests if one["kind"] == "HTTPRoute")))
    planted["metadata"]["name"] = "planted"
    planted["spec"]["rules"][0]["timeouts"] = {"request": "35"}
    planted["spec"]["rules"][0]["timeout"] = "35s"
    command = [NODE, str(JUDGES / "custom_resources.mjs"), str(need_node_peer("kubernetes"))]
    wrong = judged(command, [*manifests, planted])
    assert [line for line in wrong if "planted" not in line] == []
    assert len(wrong) == 2, "a misspelt field would pass"


@every_file
def test_each_server_takes_its_settings_and_listens_where_its_pod_says(name: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    certificate = authority.chain.read_text(), authority.key.read_text(), authority.file.read_text()
    contents = {**SECRETS, **dict(zip(("tls.crt", "tls.key", "ca.crt"), certificate, strict=True))}
    servers = of_kind(rendered(name), SERVERS)
    for component, server in servers.items():
        pod = server["spec"]["template"]
        variables = lay_out(pod, tmp_path / component, contents)
        Environment(variables).refuse_unknown()
        settings = READ[component](variables)
        listens = {"api": "port", "web": "port", "stream": "stream_port", "read": "read_port", "admin": "admin_port"}
        # nothing else is asked of these
        listens |= {"admin": "port"} if component in ("exporter", "relay", "intake") else {}
        ports = {one["name"]: one["containerPort"] for one in container_of(pod)["ports"]}
        workers = [ports.pop(port) for port in sorted(ports) if port.startswith("admin-")]
        assert ports == {port: getattr(settings, listens[port]) for port in ports}
        assert workers == [settings.admin_port + number for number in range(1, len(workers) + 1)]
        assert {settings.host, getattr(settings, "admin_host", settings.host)} == {"0.0.0.0"}
        assert (settings.certificate is None) == settings.behind_proxy
    assert set(servers) == (set(READ) if name == "operator" else {"ledger", "hub"})


@every_file
def test_what_a_server_is_told_leads_to_the_others(name: str) -> None:
    manifests = rendered(name)
    told = {component: environment_of(pod) for component, pod in pods(manifests).items()}
    services = of_kind(manifests, "Service")
    ends = "s" if "STOCKWIRE_TLS_CERT_FILE" in told["hub"] else ""
    ledger = f"http{ends}://{RELEASE}-ledger.{NAMESPACE}.svc:8080"
    assert told["hub"]["STOCKWIRE_LEDGER_URLS"] == ledger
    for component in set(told) & (set(KEYS) - {"hub"}):
        assert told[component]["STOCKWIRE_URL"] == ledger
    if "console" in told:
        assert told["console"]["STOCKWIRE_CONSOLE_HUB_URLS"] == f"ws://{RELEASE}-hub.{NAMESPACE}.svc:8090{STREAM_PATH}"
    assert told["ledger"]["STOCKWIRE_HUB_STREAM_URLS"].endswith(STREAM_PATH)
    for component, service in services.items():
        ports = {port["name"]: port["port"] for port in service["spec"]["ports"]}
        listens = {one["name"]: one["containerPort"] for one in container_of(pods(manifests)[component])["ports"]}
        assert ports == {port: number for port, number in listens.items() if not port.startswith("admin")}
        assert service["spec"]["selector"].items() <= pods(manifests)[component]["metadata"]["labels"].items()


@every_file
def test_commands_exist_and_are_given_options_that_they_know(name: str) -> None:
    for component, pod in pods(rendered(name)).items():
        words = list(container_of(pod)["args"])
        command = get_command(program())
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]  # only groups have it
        assert command.make_context(command.name, words), component


@every_file
def test_every_pod_is_restricted(name: str) -> None:
    for component, pod in pods(rendered(name)).items():
        spec, container = pod["spec"], container_of(pod)
        user = spec["securityContext"]
        assert spec["automountServiceAccountToken"] is False, component
        assert spec["enableServiceLinks"] is False, "a Service's variables are taken for settings"
        assert (user["runAsNonRoot"], user["seccompProfile"]) == (True, {"type": "RuntimeDefault"}), component
        assert f"{user['runAsUser']}:{user['runAsGroup']}" == only("USER")
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert all(mount["readOnly"] for mount in container["volumeMounts"]), component
        assert "memory" in container["resources"]["limits"], component


@every_file
def test_secrets_are_files_of_secrets_that_exist_and_stand_nowhere_else(name: str) -> None:
    manifests = rendered(name)
    assert not [manifest for manifest in manifests if manifest["kind"] == "Secret"]
    for component, pod in pods(manifests).items():
        lying = mounts(pod)
        for setting, value in environment_of(pod).items():
            if value.startswith(f"{MOUNTED}/"):
                (source,) = lying.pop(value)
                assert source[0] == ("configMap" if value.endswith("ca.crt") and source[0] != "secret" else "secret")
            else:
                assert not setting.endswith(("_FILE", "_KEY", "_SECRET", "DATABASE_URL", "REDIS_URL")), component
        unnamed = {f"{MOUNTED}/secrets/{one}Key" for one in KEYS}
        assert set(lying) <= (unnamed if component.endswith("-key") else set()), (
            f"{component} has what it does not need"
        )
        for volume in pod["spec"]["volumes"]:
            given = volume.get("projected") if volume["name"] == "secrets" else volume.get("secret")
            assert given is None or given["defaultMode"] == 0o440, "others may read it"


@pytest.mark.parametrize(
    ("component", "setting"), [("relay", "STOCKWIRE_RELAY_TO"), ("intake", "STOCKWIRE_INTAKE_FROM")]
)
def test_what_an_operator_makes_beside_a_broker_elsewhere_no_pod_reads(component: str, setting: str) -> None:
    """Strimzi: one Secret for each KafkaUser and one with the authority, in the namespace of the Kafka."""
    pod = pods(rendered("operator"))[component]
    told = environment_of(pod)
    host = urlsplit(told[setting]).hostname
    assert host is not None
    assert "." not in host, "it is in another namespace than what follows"
    lying = [source for sources in mounts(pod).values() for source in sources]
    assert ("secret", f"{host.removesuffix('-kafka-bootstrap')}-cluster-ca-cert", "ca.crt") in lying
    assert ("secret", told["STOCKWIRE_BROKER_USER"], "password") in lying


@every_file
def test_the_schema_comes_first_then_the_keys_that_are_shown_later(name: str) -> None:
    manifests = rendered(name)
    jobs = of_kind(manifests, "Job")
    hooks = {component: job["metadata"]["annotations"] for component, job in jobs.items()}
    assert {hook["helm.sh/hook"] for hook in hooks.values()} == {"pre-install,pre-upgrade"}
    assert {hook["helm.sh/hook-delete-policy"] for hook in hooks.values()} == {"before-hook-creation"}
    weights = {component: int(hook["helm.sh/hook-weight"]) for component, hook in hooks.items()}
    assert all(weights["migrate"] < weight for component, weight in weights.items() if component != "migrate")
    scopes = {
        "hub": ["hub"],
        "console": sorted(CONSOLE_SCOPES),
        "channels": ["hub"],
        "exporter": ["feed", "stock:read:*"],
        "relay": sorted(RELAY_SCOPES),
        "intake": sorted(INTAKE_SCOPES),
    }
    for component in set(jobs) - {"migrate"}:
        shows = component.removesuffix("-key")
        arguments = container_of(pods(manifests)[component])["args"]
        given = dict(pairwise(arguments))
        assert sorted(value for option, value in pairwise(arguments) if option == "--scope") == scopes[shows]
        shown = environment_of(pods(manifests)[shows])[f"STOCKWIRE_{shows.upper()}_KEY_FILE"]
        assert given["--file"] == shown
        assert mounts(pods(manifests)[component])[shown] == mounts(pods(manifests)[shows])[shown]
    assert set(jobs) - {"migrate"} == {f"{one}-key" for one in of_kind(manifests, SERVERS) if one != "ledger"}


@every_file
def test_servers_are_spread_probed_and_replaced_without_a_gap(name: str) -> None:
    manifests = rendered(name)
    budgets = of_kind(manifests, "PodDisruptionBudget")
    for component, server in of_kind(manifests, SERVERS).items():
        spec, container = server["spec"]["template"]["spec"], container_of(server["spec"]["template"])
        assert server["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
        topologies = [one["topologyKey"] for one in spec["topologySpreadConstraints"]]
        assert sorted(topologies) == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
        labels = server["spec"]["template"]["metadata"]["labels"]
        selectors = [server["spec"]["selector"], budgets[component]["spec"]["selector"]]
        selectors += [one["labelSelector"] for one in spec["topologySpreadConstraints"]]
        assert all(one["matchLabels"].items() <= labels.items() for one in selectors), component
        named = {one["name"] for one in container["ports"]}
        probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {probe["port"] for probe in probes.values()} == ({"admin"} if "admin" in named else {"web"})
        paths = {kind: probe["path"] for kind, probe in probes.items()}
        assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
        assert container["lifecycle"]["preStop"]["sleep"]["seconds"] > 0


def test_its_rules_are_those_of_deploy_observe() -> None:
    assert of_kind(rendered("plain"), "PrometheusRule") == {}
    for name in ("operator", "managed"):
        found = of_kind(rendered(name), "PrometheusRule")
        assert {rules: one["spec"] for rules, one in found.items()} == {
            file.stem: yaml.safe_load(file.read_text()) for file in RULES
        }


def test_every_worker_is_watched() -> None:
    manifests = rendered("managed")
    listens = {one["name"]: one["containerPort"] for one in container_of(pods(manifests)["hub"])["ports"]}
    assert container_of(pods(manifests)["hub"])["args"] == ["hub", "--workers", "2"]
    monitors = of_kind(manifests, "PodMonitor")
    watched = [listens[one["port"]] for one in monitors["hub"]["spec"]["podMetricsEndpoints"]]
    assert watched == [8092, 8093]
    assert set(monitors) == {"ledger", "hub"}
    assert set(of_kind(rendered("operator"), "PodMonitor")) == {"ledger", *KEYS} - {"console"}
    for component, monitor in monitors.items():
        assert (
            monitor["spec"]["selector"]["matchLabels"].items()
            <= pods(manifests)[component]["metadata"]["labels"].items()
        )
        assert {one["scheme"] for one in monitor["spec"]["podMetricsEndpoints"]} == {"https"}


def test_routes_lead_where_paths_are_served_and_end_nothing_that_may_be_silent() -> None:
    manifests = changed("operator", {"routes": {"weight": 90, "others": [{"release": "next", "weight": 10}]}})
    routes = of_kind(manifests, "HTTPRoute")
    services = of_kind(manifests, "Service")
    served = set(document("hub-openapi.yaml").content["paths"])
    endless = {}
    for component, route in routes.items():
        for rule in route["spec"]["rules"]:
            (path,) = (match["path"] for match in rule["matches"])
            own, other = rule["backendRefs"]
            assert (own["name"], own["weight"]) == (services[component]["metadata"]["name"], 90)
            assert (other["name"], other["weight"]) == (f"next-stockwire-{component}", 10)
            (port,) = (one["name"] for one in services[component]["spec"]["ports"] if one["port"] == own["port"])
            assert path["type"] == ("PathPrefix" if path["value"] == "/" else "Exact")
            if rule["timeouts"]["request"] == "0s":
                endless[path["value"]] = port
            else:
                assert rule["timeouts"] == {"request": "35s", "backendRequest": "35s"}, "a long poll lasts 30 s"
    assert endless == {STREAM_PATH: "stream", "/v1/levels/stream": "read", "/live": "web"}
    assert set(endless) & served == {"/v1/levels/stream"}
    hosts = [host for route in routes.values() for host in route["spec"]["hostnames"]]
    assert len(set(hosts)) == len(hosts) == 4
    assert not [rule for route in routes.values() for rule in route["spec"]["rules"] if "retry" in rule]


def test_hubs_grow_at_once_with_their_connections_and_shrink_slowly() -> None:
    metrics = {name for row in rows((REFERENCE / "metrics.md").read_text(), "Metric") for name in code_names(row[0])}
    (scaler,) = of_kind(rendered("operator"), "HorizontalPodAutoscaler").values()
    (scaled,) = of_kind(rendered("managed"), "ScaledObject").values()
    connections, cpu = scaler["spec"]["metrics"]
    assert connections["pods"]["metric"]["name"] in metrics
    assert connections["pods"]["target"] == {"type": "AverageValue", "averageValue": "10000"}
    assert cpu["resource"]["target"]["averageUtilization"] == 80
    asked, cpu = scaled["spec"]["triggers"]
    assert asked["metadata"]["query"].startswith("sum(stockwire_hub_connections{")
    assert (asked["metricType"], asked["metadata"]["threshold"]) == ("AverageValue", "25000")
    assert (cpu["type"], cpu["metadata"]) == ("cpu", {"value": "80"})
    for behavior in (
        scaler["spec"]["behavior"],
        scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"],
    ):
        assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
        assert behavior["scaleDown"] == {
            "stabilizationWindowSeconds": 300,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}],
        }
    for name in ("operator", "managed"):
        hub = of_kind(rendered(name), SERVERS)["hub"]
        assert "replicas" not in hub["spec"], "each upgrade would undo what was scaled"
    assert (
        scaler["spec"]["scaleTargetRef"]["name"] == scaled["spec"]["scaleTargetRef"]["name"] == hub["metadata"]["name"]
    )
