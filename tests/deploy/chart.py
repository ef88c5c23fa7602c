"""deploy/helm/stockwire as Helm renders it, and a pod of it as a node lays it out."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.harness.helm import need_helm
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

CHART = ROOT / "deploy" / "helm" / "stockwire"
VALUES = {path.stem: path for path in sorted((CHART / "values").glob("*.yaml"))}
RELEASE, NAMESPACE = "stockwire", "stock"
SERVERS, ROLLOUT = "Deployment", "Rollout"
ROLLOUTS: dict[str, Any] = {"rollouts": {"enabled": True, "prometheusUrl": "http://prometheus.monitoring.svc:9090"}}
"""Values by which ledgers and hubs are Rollouts, beside those of a file that has a PodMonitor."""
MOUNTED = "/etc/stockwire"
"""Where everything that a pod is given lies."""
CUSTOM = ("gateway.networking.k8s.io", "monitoring.coreos.com", "keda.sh", "argoproj.io")
"""Groups of resources that are no part of Kubernetes itself."""

Manifest = dict[str, Any]


def helm(*arguments: str, values: Mapping[str, Any] | None = None) -> "subprocess.CompletedProcess[str]":
    """As somebody with no configuration of his own runs it. ``values``: beside those of the files that are named."""
    with tempfile.TemporaryDirectory() as home:
        return subprocess.run(
            [need_helm(), *arguments, "--values", "-"],
            input=json.dumps(values or {}),
            env={"PATH": os.environ["PATH"], **{f"HELM_{name}_HOME": home for name in ("CACHE", "CONFIG", "DATA")}},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


def template(name: str, values: Mapping[str, Any] | None = None) -> "subprocess.CompletedProcess[str]":
    """``name``: of the file of values."""
    given = ("--namespace", NAMESPACE, "--values", str(VALUES[name]))
    return helm("template", RELEASE, str(CHART), *given, values=values)


def changed(name: str, values: Mapping[str, Any]) -> list[Manifest]:
    """All that is rendered of a file with some values changed."""
    done = template(name, values)
    assert done.returncode == 0, done.stderr
    return [manifest for manifest in yaml.load_all(done.stdout, yaml.CSafeLoader) if manifest]


@cache
def rendered(name: str) -> list[Manifest]:
    return changed(name, {})


def refusal(values: Mapping[str, Any], name: str = "plain") -> list[str]:
    """What Helm says of values that it does not take, without what it says around it."""
    done = template(name, values)
    assert done.returncode, "they were taken"
    return [line for line in done.stderr.splitlines() if line and not line.startswith(("Error: ", "Use --debug"))]


def of_kind(manifests: list[Manifest], *kinds: str) -> dict[str, Manifest]:
    """Of these kinds, by component."""
    return {component_of(one["metadata"]["labels"]): one for one in manifests if one["kind"] in kinds}


def component_of(labels: Mapping[str, str]) -> str:
    return labels["app.kubernetes.io/component"]


def pods(manifests: list[Manifest]) -> dict[str, Manifest]:
    """The template of each pod, by component: servers and Jobs."""
    return {name: one["spec"]["template"] for name, one in of_kind(manifests, SERVERS, ROLLOUT, "Job").items()}


def container_of(pod: Manifest) -> Manifest:
    (container,) = pod["spec"]["containers"]
    found: Manifest = container
    return found


def environment_of(pod: Manifest, mounted: Path | str = MOUNTED) -> dict[str, str]:
    """What stands there as it is. ``mounted``: what stands in the place of MOUNTED."""
    given = [one for one in container_of(pod)["env"] if "value" in one]
    return {one["name"]: one["value"].replace(MOUNTED, str(mounted)) for one in given}


def mounts(pod: Manifest) -> dict[str, list[tuple[str, str, str]]]:
    """Kind, name and key of what lies at each path that the container is given."""
    volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
    found: dict[str, list[tuple[str, str, str]]] = {}
    for mount in container_of(pod)["volumeMounts"]:
        volume = volumes.pop(mount["name"])
        for kind, name, items in _sources(volume):
            for key, path in items.items():
                found.setdefault(f"{mount['mountPath']}/{path}", []).append((kind, name, key))
    assert not volumes, "a volume that nobody mounts"
    return found


def _sources(volume: Manifest) -> list[tuple[str, str, dict[str, str]]]:
    if "projected" in volume:
        parts = [next(iter(source.items())) for source in volume["projected"]["sources"]]
        return [(kind, one["name"], {item["key"]: item["path"] for item in one["items"]}) for kind, one in parts]
    if "secret" in volume:
        return [("secret", volume["secret"]["secretName"], {"tls.crt": "tls.crt", "tls.key": "tls.key"})]
    return [("configMap", volume["configMap"]["name"], {"ca.crt": "ca.crt"})]


def lay_out(pod: Manifest, folder: Path, contents: Mapping[str, str]) -> dict[str, str]:
    """The environment of its container, with what it mounts in ``folder`` in the place of MOUNTED. ``contents``: of
    each file, by the last part of its path."""
    for path in mounts(pod):
        file = folder / Path(path).relative_to(MOUNTED)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(contents[file.name])
    return environment_of(pod, folder)
