"""Values that make no sense are refused before anything is installed, with the field and the fix."""

import json
import re
from typing import Any

import pytest

from ledger.commit.writer import COMMIT_DEADLINE_S
from ledger.http.serving import GRACE_S
from tests.deploy.chart import (
    CHART,
    MOUNTED,
    ROLLOUTS,
    changed,
    container_of,
    environment_of,
    helm,
    mounts,
    pods,
    refusal,
    rendered,
)
from tests.harness.source import REFERENCE, code_names, rows

pytestmark = pytest.mark.usefixtures("processes")

NONSENSE: dict[str, Any] = {
    "image": {"tag": "latest", "digest": "1234"},
    "secrets": {"database": {"value": "postgresql://u:p@db/stock"}, "token": {"name": "No Name"}},
    "public": {"hubs": "https://hubs.example/path", "origins": ["https://shop.example/"]},
    "trustedProxies": ["gateway"],
    "routes": {"weight": -1, "gateways": [{"name": "public"}]},
    "postgresql": {"sslMode": "prefer"},
    "ledger": {
        "replicas": 0,
        "terminationGracePeriodSeconds": "long",
        "settings": {
            "STOCKWIRE_LEDGER_RATE_PRE_S": "5",
            "STOCKWIRE_DATABASE_URL": "postgresql://u:p@db/stock",
            "STOCKWIRE_LEDGER_RATE_PER_S": 1000000,
        },
    },
    "hub": {"drainSeconds": 20, "workers": 0, "disruptions": {"minAvailable": 1, "maxUnavailable": 1}},
    "console": {"replicas": 2},
    "relay": {"to": "kafka://user:secret@kafka:9092", "settings": {"STOCKWIRE_RELAY_PORT": "1"}},
    "intake": {"from": "amqp://rabbit", "scopes": ["admin"]},
    "rollouts": {"strategy": "rolling", "weights": [100], "limits": {"lateSeconds": 0.3}},
    "migrate": {"shards": 65},
    "networkPolicy": {"gateway": [{}], "broker": [{"ipBlock": {"cidr": "everywhere"}}]},
    "log": {"format": "yaml"},
    "replicas": 3,
}
REFUSED_BY_SCHEMA = (
    *("/image/tag", "/image/digest", "/secrets/database", "/secrets/token/name", "/public/hubs", "/public/origins/0"),
    *("/trustedProxies/0", "/routes/weight", "/routes/gateways/0", "/postgresql/sslMode", "/ledger/replicas"),
    *("/ledger/terminationGracePeriodSeconds", "/ledger/settings", "/ledger/settings/STOCKWIRE_LEDGER_RATE_PER_S"),
    *("/log/format", "/hub/drainSeconds", "/hub/workers", "/hub/disruptions", "/console/replicas", "/migrate/shards"),
    *("/relay/to", "/relay/settings", "/intake/from", "/intake/scopes/0"),
    *("/rollouts/strategy", "/rollouts/weights/0", "/rollouts/limits/lateSeconds"),
    *("/networkPolicy/gateway/0", "/networkPolicy/broker/0/ipBlock/cidr", ""),
)
LEDGER_STOP_S = GRACE_S + COMMIT_DEADLINE_S
CONTRADICTIONS: tuple[tuple[str, dict[str, Any], str, str], ...] = (
    ("operator", {"rollouts": {"enabled": True}}, "rollouts.enabled has nobody to judge", "set rollouts.prometheusUrl"),
    ("operator", ROLLOUTS | {"podMonitor": {"enabled": False}}, "rollouts.enabled needs podMonitor.enabled", "to true"),
    (
        "operator",
        ROLLOUTS | {"podMonitor": {"interval": "1m"}},
        "podMonitor.interval=1m leaves a minute",
        "20s at most",
    ),
    ("operator", ROLLOUTS | {"podMonitor": {"interval": "30s"}}, "podMonitor.interval=30s leaves", "20s at most"),
    ("operator", ROLLOUTS | {"podMonitor": {"interval": "90000ms"}}, "podMonitor.interval=90000ms leaves", "20s"),
    ("operator", ROLLOUTS | {"routes": {"weight": 90}}, "routes.others and routes.weight share out", "leave them out"),
    (
        "operator",
        {"rollouts": ROLLOUTS["rollouts"] | {"weights": [10, 10]}},
        "rollouts.weights has 10 after 10",
        "let them rise",
    ),
    ("plain", {"image": {"repository": ""}}, "image.repository is empty", "name the registry"),
    ("plain", {"image": {"tag": ""}}, "image.tag is empty", "name the tag, or a digest"),
    ("plain", {"secrets": {"hubKey": {"name": ""}}}, "secrets.hubKey.name is empty", "name the Secret"),
    ("operator", {"secrets": {"sealingKeys": {"name": ""}}}, "secrets.sealingKeys.name is empty", "name the Secret"),
    (
        "plain",
        {
            "tokens": {"keySetUrl": "https://login.example", "issuer": "a", "audience": "b"},
            "networkPolicy": {"identityProvider": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]},
        },
        "tokens.keySetUrl and secrets.token.name are both set",
        "leave one out",
    ),
    ("managed", {"tokens": {"issuer": ""}}, "tokens.keySetUrl needs tokens.issuer", "set what the provider's"),
    ("managed", {"tokens": {"keySetUrl": "http://login.example"}}, "tokens.keySetUrl=http://", "write https://"),
    ("plain", {"secrets": {"signingKeys": {"name": "a"}}}, "secrets.signingKeys.name is of no use", "leave it out"),
    ("plain", {"postgresql": {"sslMode": "verify-full"}}, "postgresql.sslMode=verify-full", "postgresql.authorities"),
    ("plain", {"postgresql": {"authorities": {"secret": "a"}}}, "postgresql.authorities is of no use", "verify-full"),
    ("plain", {"tls": {"secret": "a"}}, "tls.secret needs tls.authorities", "name the ConfigMap"),
    ("plain", {"tls": {"authorities": "a"}}, "tls.authorities is of no use", "name the pods' certificate"),
    ("plain", {"public": {"ledger": ""}}, "public.ledger is empty", "set the https:// URL"),
    (
        "plain",
        {"public": {"ledger": "http://stock.example"}},
        "public.ledger=http://stock.example is public without TLS",
        "write https://",
    ),
    (
        "plain",
        {"public": {"hubs": "ws://hubs.stock.example"}},
        "public.hubs=ws://hubs.stock.example is public without TLS",
        "write https://",
    ),
    (
        "plain",
        {"public": {"hubs": "https://stock.example:8443"}},
        "public.hubs=https://stock.example:8443 has the host of public.ledger",
        "a host of its own",
    ),
    (
        "plain",
        {"public": {"console": "https://console.example"}},
        "public.console=https://console.example leads nowhere",
        "set console.enabled",
    ),
    ("operator", {"public": {"console": ""}}, "public.console is empty", "set the https:// URL"),
    ("plain", {"routes": {"enabled": True}}, "routes.gateways is empty", "name the Gateway"),
    (
        "plain",
        {"routes": {"others": [{"release": "next", "weight": 1}]}},
        "routes.others is of no use",
        "routes.enabled",
    ),
    (
        "operator",
        {"routes": {"others": [{"release": "stockwire", "weight": 1}]}},
        "routes.others names stockwire",
        "set routes.weight",
    ),
    ("operator", {"routes": {"weight": 0}}, "routes.weight=0 sends nobody anywhere", "above 0"),
    (
        "plain",
        {"trustedProxies": [], "hub": {"settings": {"STOCKWIRE_HUB_VISITORS": "1"}}},
        "hub.settings.STOCKWIRE_HUB_VISITORS=1",
        "trustedProxies",
    ),
    (
        "plain",
        {"ledger": {"terminationGracePeriodSeconds": 5 + LEDGER_STOP_S}},
        f"ledger.terminationGracePeriodSeconds={5 + LEDGER_STOP_S:g} cuts it short",
        "are 25 s, set it above",
    ),
    (
        "plain",
        {"hub": {"terminationGracePeriodSeconds": 12}},
        "hub.terminationGracePeriodSeconds=12 cuts it short",
        "are 20 s, set it above",
    ),
    (
        "plain",
        {"hub": {"drainSeconds": 13, "preStopSeconds": 12}},
        "hub.terminationGracePeriodSeconds=30 cuts it short",
        "are 30 s, set it above",
    ),
    (
        "operator",
        {"channels": {"settings": {"STOCKWIRE_WEBHOOKS_TIMEOUT_S": "60"}}},
        "channels.terminationGracePeriodSeconds=40 cuts it short",
        "are 73 s, set it above",
    ),
    (
        "operator",
        {"console": {"terminationGracePeriodSeconds": 5}},
        "console.terminationGracePeriodSeconds=5 cuts it short",
        "set it above",
    ),
    (
        "plain",
        {"ledger": {"replicas": 1, "disruptions": {"minAvailable": 1}}},
        "ledger.disruptions.minAvailable=1 with ledger.replicas=1",
        "set it below, or more pods",
    ),
    (
        "operator",
        {"hub": {"disruptions": {"minAvailable": 3}}},
        "hub.disruptions.minAvailable=3 with hub.autoscaling.minReplicas=3",
        "set it below, or more pods",
    ),
    (
        "operator",
        {"hub": {"autoscaling": {"maxReplicas": 2}}},
        "hub.autoscaling.minReplicas=3 is above maxReplicas=2",
        "swap them",
    ),
    (
        "operator",
        {"hub": {"settings": {"STOCKWIRE_HUB_CONNECTIONS_MAX": "8000"}}},
        "hub.autoscaling.connectionsPerPod=10000 is never passed",
        "set it below",
    ),
    (
        "operator",
        {"hub": {"resources": {"requests": {"cpu": None}}}},
        "hub.autoscaling.cpuPercent is a share",
        "set hub.resources.requests.cpu",
    ),
    (
        "managed",
        {"hub": {"autoscaling": {"prometheusUrl": ""}}},
        "hub.autoscaling.source=keda has nobody to ask",
        "set hub.autoscaling.prometheusUrl",
    ),
    ("operator", {"relay": {"to": ""}}, "relay.to is empty", "name the message broker"),
    ("operator", {"intake": {"from": ""}}, "intake.from is empty", "name the message broker"),
    ("operator", {"secrets": {"relayKey": {"name": ""}}}, "secrets.relayKey.name is empty", "name the Secret"),
    ("operator", {"secrets": {"intakePassword": {"name": ""}}}, "secrets.intakePassword.name is empty", "the Secret"),
    ("operator", {"relay": {"user": ""}}, "secrets.relayPassword.name is of no use", "name the user"),
    (
        "operator",
        {"intake": {"from": "kafka://kafka:9092"}},
        "intake.authorities is of no use with intake.from=kafka://kafka:9092",
        "write kafkas://",
    ),
    ("operator", {"networkPolicy": {"streams": []}}, "networkPolicy.streams is empty", "name its pods"),
    ("operator", {"networkPolicy": {"monitoring": []}}, "networkPolicy.monitoring is empty", "name its pods"),
    (
        "managed",
        {"networkPolicy": {"identityProvider": []}},
        "networkPolicy.identityProvider is empty",
        "name its pods",
    ),
    (
        "plain",
        {"tracing": {"endpoint": "http://collector:4318"}},
        "networkPolicy.collector is empty",
        "name its pods",
    ),
    (
        "plain",
        {"tracing": {"settings": {"OTEL_TRACES_SAMPLER_ARG": "0.5"}}},
        "tracing.settings is of no use without tracing.endpoint",
        "name the collector",
    ),
    ("plain", {"tracing": {"headers": {"name": "a"}}}, "tracing.headers is of no use", "name the collector"),
    (
        "plain",
        {
            "tracing": {"endpoint": "http://collector:4318", "authorities": {"secret": "a"}},
            "networkPolicy": {"collector": [{"podSelector": {"matchLabels": {"app": "collector"}}}]},
        },
        "tracing.authorities is of no use with tracing.endpoint=http://collector:4318",
        "write https://",
    ),
    (
        "plain",
        {"networkPolicy": {"broker": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}},
        "networkPolicy.broker lets everybody through",
        "name the networks",
    ),
    (
        "plain",
        {"networkPolicy": {"enabled": False}},
        "networkPolicy.enabled=false lets whoever is in the cluster",
        "tls.secret",
    ),
)
SET_BY_THE_CHART = {
    "Shared by ledgers and hubs": """
        REDIS_URL REDIS_URL_FILE TOKEN_SECRET TOKEN_SECRET_FILE TOKEN_JWKS_URL TOKEN_ISSUER TOKEN_AUDIENCE
        ALLOWED_ORIGINS TLS_CERT_FILE TLS_KEY_FILE BEHIND_PROXY TRUSTED_PROXIES
    """,
    "Ledger": """
        DATABASE_URL DATABASE_URL_FILE LEDGER_HOST LEDGER_PORT LEDGER_ADMIN_HOST LEDGER_ADMIN_PORT LEDGER_PUBLIC_URL
        TOKEN_SIGNING_KEY_FILE HUB_STREAM_URLS HUB_READ_URLS
    """,
    "Hub": """
        LEDGER_URLS LEDGER_CA_FILE HUB_KEY HUB_KEY_FILE HUB_NODE HUB_HOST HUB_STREAM_PORT HUB_READ_PORT HUB_ADMIN_HOST
        HUB_ADMIN_PORT HUB_DRAIN_S
    """,
    "Console": """
        CONSOLE_KEY CONSOLE_KEY_FILE CONSOLE_HOST CONSOLE_PORT CONSOLE_ORIGINS CONSOLE_HUB_URLS CONSOLE_LINK_FILE
        CONSOLE_CONTROL_SOCKET
    """,
    "Exporter": "EXPORTER_KEY EXPORTER_KEY_FILE EXPORTER_HOST EXPORTER_PORT",
    "Channels": """
        CHANNELS_KEY CHANNELS_KEY_FILE CHANNELS_HOST CHANNELS_PORT CHANNELS_ADMIN_HOST CHANNELS_ADMIN_PORT
        WEBHOOKS_SEALING_KEYS WEBHOOKS_SEALING_KEYS_FILE WEBHOOKS_CA_FILE
    """,
    "Relay": "RELAY_TO RELAY_KEY RELAY_KEY_FILE RELAY_HOST RELAY_PORT",
    "Intake": "INTAKE_FROM INTAKE_KEY INTAKE_KEY_FILE INTAKE_HOST INTAKE_PORT INTAKE_EPHEMERAL",
}
"""Or of no use in a pod. All others can be set as text."""
OF_OTHERS = {
    "Channels": {"STOCKWIRE_ALLOWED_HOSTS"},
    "Relay": {"STOCKWIRE_BROKER_SASL"},
    "Intake": {"STOCKWIRE_BROKER_SASL"},
}
"""What is set there as well."""


def test_a_schema_refuses_nonsense_and_names_every_field() -> None:
    said = refusal(NONSENSE)
    named = [found[1] for line in said if (found := re.search(r"at '([^']*)'", line))]
    assert set(named) >= set(REFUSED_BY_SCHEMA), said
    (settings,) = (line for line in said if "at '/ledger/settings': additional properties" in line)
    assert "STOCKWIRE_LEDGER_RATE_PRE_S" in settings
    assert "STOCKWIRE_DATABASE_URL" in settings
    linted = helm("lint", str(CHART), values=NONSENSE)
    assert linted.returncode == 1
    assert "/hub/drainSeconds" in linted.stdout + linted.stderr


@pytest.mark.parametrize(("name", "values", "field", "fix"), CONTRADICTIONS, ids=[one[2] for one in CONTRADICTIONS])
def test_what_contradicts_itself_is_refused_with_the_field_and_the_fix(
    name: str, values: dict[str, Any], field: str, fix: str
) -> None:
    (line,) = refusal(values, name)
    assert line.startswith(field)
    assert fix in line.removeprefix(field), line


def test_all_contradictions_are_told_at_once() -> None:
    said = refusal({"hub": {"terminationGracePeriodSeconds": 12}, "ledger": {"disruptions": {"minAvailable": 2}}})
    assert [line.split()[0] for line in said] == [
        "hub.terminationGracePeriodSeconds=12",
        "ledger.disruptions.minAvailable=2",
    ]


def test_a_grace_a_little_longer_than_the_end_is_taken() -> None:
    graces = {"ledger": {"terminationGracePeriodSeconds": 26}, "hub": {"terminationGracePeriodSeconds": 21}}
    spec = pods(changed("plain", graces))["ledger"]["spec"]
    assert spec["terminationGracePeriodSeconds"] > container_stop_s(spec) + LEDGER_STOP_S


def container_stop_s(spec: dict[str, Any]) -> int:
    seconds: int = spec["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    return seconds


def test_every_setting_can_be_set_in_one_place_alone() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())["properties"]
    text = (REFERENCE / "settings.md").read_text()
    sections = {part.partition("\n")[0]: part for part in text.split("\n## ")}
    for section, by_the_chart in SET_BY_THE_CHART.items():
        known = {name for row in rows(sections[section], "Setting") for name in code_names(row[0])}
        ours = {f"STOCKWIRE_{name}" for name in by_the_chart.split()}
        assert ours <= known, section
        where = schema if section.startswith("Shared") else schema[section.lower()]["properties"]
        free = set(where["settings"]["properties"]) - OF_OTHERS.get(section, set())
        assert free == known - ours, section


def test_traces_go_where_the_values_say_and_are_of_ledgers_and_hubs_alone() -> None:
    endpoint, ratio = "https://collector.observability.svc/otlp", {"OTEL_TRACES_SAMPLER_ARG": "0.05"}
    peer = {"podSelector": {"matchLabels": {"app": "collector"}}}
    values = {"tracing": {"endpoint": endpoint, "settings": ratio}, "networkPolicy": {"collector": [peer]}}
    manifests = changed("operator", values)
    traced = {
        name: (environment["OTEL_EXPORTER_OTLP_ENDPOINT"], environment["OTEL_TRACES_SAMPLER_ARG"])
        for name, pod in pods(manifests).items()
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in (environment := environment_of(pod))
    }
    assert traced == dict.fromkeys(("ledger", "hub"), (endpoint, "0.05"))


@pytest.mark.parametrize("kind", ["secret", "configMap"])
def test_a_collector_is_shown_a_header_and_believed_by_a_certificate_that_no_value_holds(kind: str) -> None:
    tracing = {
        "endpoint": "https://collector.example",
        "headers": {"name": "collector", "key": "otlp"},
        "authorities": {kind: "collectors-authority", "key": "root.pem"},
    }
    peer = {"ipBlock": {"cidr": "10.0.66.0/24"}}
    shown, believed = "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_CERTIFICATE"
    given = {"valueFrom": {"secretKeyRef": {"name": "collector", "key": "otlp"}}}
    found = pods(changed("operator", {"tracing": tracing, "networkPolicy": {"collector": [peer]}}))
    for component, pod in found.items():
        environment = {one.pop("name"): one for one in container_of(pod)["env"]}
        if component in ("ledger", "hub"):
            assert environment[shown] == given
            certificate = environment[believed]["value"]
            assert mounts(pod)[certificate] == [(kind, "collectors-authority", "root.pem")]
        else:
            assert not {shown, believed} & set(environment)


def test_a_setting_is_passed_on_as_it_was_written() -> None:
    values = {
        "settings": {"STOCKWIRE_CHANNEL_PREFIX": "eu"},
        "ledger": {"settings": {"STOCKWIRE_LEDGER_BODY_BYTES_MAX": "1000000"}},
    }
    found = pods(changed("plain", values))
    assert environment_of(found["ledger"])["STOCKWIRE_LEDGER_BODY_BYTES_MAX"] == "1000000"
    assert {environment_of(found[one])["STOCKWIRE_CHANNEL_PREFIX"] for one in ("ledger", "hub")} == {"eu"}
    assert {environment_of(found[one])["STOCKWIRE_LOG"] for one in ("ledger", "hub")} == {"json"}
    assert environment_of(pods(rendered("managed"))["migrate"])["PGSSLROOTCERT"] == f"{MOUNTED}/postgresql/ca.crt"
