"""deploy/compose.yaml as Docker Compose reads it: variables put in, anchors and merges resolved."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.harness.source import ROOT

COMPOSE = ROOT / "deploy" / "compose.yaml"
SECRETS = {"POSTGRES_PASSWORD": "secret", "STOCKWIRE_TOKEN_SECRET": "0" * 64}
"""What the file's first lines say to put into .env."""

_VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::([?-])([^}]*))?\}")


class Missing(Exception):
    """A variable without a value and without a default; the message is the file's own."""


def compose(variables: Mapping[str, str] = SECRETS) -> dict[str, Any]:
    """Raises Missing."""

    def value(match: "re.Match[str]") -> str:
        name, kind, other = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == "-":
            return str(other)
        raise Missing(f"{name}: {other}")

    def filled(node: Any) -> Any:
        """As Compose does it, behind YAML: a value stays the text that it is."""
        if isinstance(node, dict):
            return {key: filled(child) for key, child in node.items()}
        if isinstance(node, list):
            return [filled(child) for child in node]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    read: dict[str, Any] = filled(yaml.safe_load(COMPOSE.read_text()))
    return read


def services(variables: Mapping[str, str] = SECRETS) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose(variables)["services"]
    return found


def own_services() -> dict[str, dict[str, Any]]:
    """Those that run our image."""
    return {name: service for name, service in services().items() if service["image"] == "stockwire"}


def settings_of(service: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in service.get("environment", {}).items()}
