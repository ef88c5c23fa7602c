"""The chart's NetworkPolicies let through what docs/design.md draws, and nothing else."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.deploy.chart import Manifest, changed, component_of, of_kind, pods, rendered

pytestmark = pytest.mark.usefixtures("processes")

OUTSIDE = {
    "gateways": "gateway",
    "monitoring": "prometheus",
    "kube-system": "dns",
    "stockwire-db": "postgresql",
    "valkey": "broker",
    "kafka": "streams",
    "10.0.64.0/24": "postgresql",
    "10.0.65.0/24": "broker",
    "203.0.113.0/24": "identity provider",
    "collector": "collector",
    "0.0.0.0/0": "world",
    "::/0": "world",
    "10.9.0.0/16": "receivers",
}
"""Who stands behind each label and network of values/operator.yaml and values/managed.yaml."""
DATABASE = {("postgresql", 5432)}
DRAWN = {
    "operator": {
        "ledger": {
            "in": {
                *((one, 8080) for one in ("gateway", "hub", "console", "channels", "exporter", "relay", "intake")),
                ("prometheus", 8081),
            },
            "out": {*DATABASE, ("broker", 6379)},
        },
        "hub": {
            "in": {("gateway", 8090), ("gateway", 8091), ("console", 8090), ("prometheus", 8092)},
            "out": {("ledger", 8080), ("broker", 6379)},
        },
        "console": {"in": {("gateway", 8083)}, "out": {("ledger", 8080), ("hub", 8090)}},
        "channels": {
            "in": {("gateway", 8084), ("prometheus", 8085)},
            "out": {*DATABASE, ("ledger", 8080), ("world", 443), ("world", 8443)},
        },
        "exporter": {"in": {("prometheus", 8086)}, "out": {("ledger", 8080)}},
        "relay": {"in": {("prometheus", 8078)}, "out": {("ledger", 8080), ("streams", 9093)}},
        "intake": {"in": {("prometheus", 8079)}, "out": {("ledger", 8080), ("streams", 9093)}},
        **{
            job: {"in": set(), "out": DATABASE}
            for job in (
                *("migrate", "hub-key", "console-key", "channels-key", "exporter-key", "relay-key", "intake-key"),
            )
        },
    },
    "managed": {
        "ledger": {
            "in": {("gateway", 8080), ("hub", 8080), ("prometheus", 8081)},
            "out": {*DATABASE, ("broker", 6380), ("identity provider", 443)},
        },
        "hub": {
            "in": {("gateway", 8090), ("gateway", 8091), ("prometheus", 8092), ("prometheus", 8093)},
            "out": {("ledger", 8080), ("broker", 6380)},
        },
        **{job: {"in": set(), "out": DATABASE} for job in ("migrate", "hub-key")},
    },
}
"""Sections 1 and 10 of docs/design.md, arrow by arrow. A hub never needs the database."""


@pytest.mark.parametrize("name", DRAWN)
def test_what_is_drawn_is_let_through_and_nothing_else(name: str) -> None:
    assert let_through(rendered(name)) == DRAWN[name]


def test_receivers_in_networks_that_were_opened_are_reached() -> None:
    opened = {"channels": {"settings": {"STOCKWIRE_WEBHOOKS_NETWORKS": "10.9.0.0/16"}}}
    channels = let_through(changed("operator", opened))["channels"]
    assert channels["out"] - DRAWN["operator"]["channels"]["out"] == {("receivers", None)}


@pytest.mark.parametrize(
    ("to", "relay", "intake"),
    [
        ("kafka://kafka-1,kafka-2", {9092}, {9092}),
        ("kafkas://kafka-1:9093,[fd00::1]:9094", {9093, 9094}, {9093, 9094}),
        ("tls://nats.nats.svc", {4222}, {4222}),
        ("rabbitmqs://rabbit/shop", {5551}, {5671}),
        ("rabbitmq://rabbit/shop?exchange=stock", {5672, 5552}, {5672}),
        ("rabbitmq://rabbit:5673?exchange=stock&stream_port=5553", {5673, 5553}, {5673}),
    ],
)
def test_a_message_broker_is_reached_at_the_ports_of_its_url(to: str, relay: set[int], intake: set[int]) -> None:
    none: dict[str, Any] = {"user": "", "authorities": {"secret": ""}}
    values = {
        "relay": {"to": to, **none},
        "intake": {"from": to.partition("?")[0], **none},
        "secrets": {f"{one}Password": {"name": ""} for one in ("relay", "intake")},
    }
    found = let_through(changed("operator", values))
    reached = {name: {port for peer, port in found[name]["out"] if peer == "streams"} for name in ("relay", "intake")}
    assert reached == {"relay": relay, "intake": intake}


@pytest.mark.parametrize(
    ("endpoint", "port"), [("http://c:4318", 4318), ("https://c/otlp", 443), ("http://[fd00::1]:80/", 80)]
)
def test_a_collector_is_reached_at_its_port_by_ledgers_and_hubs_alone(endpoint: str, port: int) -> None:
    peer = {"podSelector": {"matchLabels": {"app": "collector"}}}
    found = let_through(
        changed("operator", {"tracing": {"endpoint": endpoint}, "networkPolicy": {"collector": [peer]}})
    )
    assert {name: edges["out"] - DRAWN["operator"][name]["out"] for name, edges in found.items()} == {
        name: {("collector", port)} if name in ("ledger", "hub") else set() for name in found
    }


def let_through(manifests: list[Manifest]) -> dict[str, dict[str, set[tuple[str, int | None]]]]:
    """By component: from whom at which port, and to whom. DNS, which everybody may ask, is left out."""
    found: dict[str, dict[str, set[tuple[str, int | None]]]] = {}
    for component, pod in pods(manifests).items():
        (policy,) = (one for one in policies(manifests) if selects(one["spec"]["podSelector"], pod))
        spec = policy["spec"]
        assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"], "what is not named is let through"
        found[component] = {
            "in": set(edges(spec.get("ingress", ()), "from")),
            "out": set(edges(spec.get("egress", ()), "to")) - {("dns", 53)},
        }
    return found


def policies(manifests: list[Manifest]) -> list[Manifest]:
    return list(of_kind(manifests, "NetworkPolicy").values())


def selects(selector: dict[str, Any], pod: Manifest) -> bool:
    labels = pod["metadata"]["labels"]
    equal = selector.get("matchLabels", {}).items() <= labels.items()
    return equal and all(labels[one["key"]] in one["values"] for one in selector.get("matchExpressions", ()))


def edges(rules: list[dict[str, Any]], direction: str) -> Iterator[tuple[str, int | None]]:
    for rule in rules:
        assert rule[direction], "an empty list of peers is everybody"
        assert direction == "to" or rule["ports"], "no ports are all ports"
        ports = [port["port"] for port in rule.get("ports", ())] or [None]
        yield from product([name_of(peer) for peer in rule[direction]], ports)


def name_of(peer: dict[str, Any]) -> str:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        assert OUTSIDE[block["cidr"]] != "world" or "10.0.0.0/8" in block["except"] or "fc00::/7" in block["except"]
        return OUTSIDE[block["cidr"]]
    named = {name: peer.get(name, {}).get("matchLabels", {}) for name in ("namespaceSelector", "podSelector")}
    if "app.kubernetes.io/component" in named["podSelector"]:
        return component_of(named["podSelector"])
    first = named["namespaceSelector"] or named["podSelector"]
    (label,) = first.values()
    return OUTSIDE[label]
