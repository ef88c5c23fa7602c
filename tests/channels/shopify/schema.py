"""The Admin API's schema as Shopify ships it: who asks for a field that it does not have is refused."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_client_schema

from tests.harness.node_peers import PEERS

FILE = PEERS / "shopify" / "admin_2026-10.json.gz"
VERSION = "2026-10"


@dataclass(frozen=True, slots=True)
class Needed:
    """One of ``scopes``; ``told`` in Shopify's words."""

    scopes: frozenset[str]
    told: str


@cache
def load(file: Path = FILE) -> GraphQLSchema:
    """0.7 s, once. Not validated: Shopify deprecates fields whose interface does not, which is forbidden."""
    return build_client_schema(_read(file)["data"], assume_valid=True)


@cache
def scopes(file: Path = FILE) -> Mapping[tuple[str, str], Needed]:
    """Access that a type needs, or a field of one (else the field is empty). Most need none."""
    return {
        (one["typeName"], one.get("fieldName", "")): Needed(frozenset(one["offlineScopes"]), one["requiredAccess"])
        for one in _read(file)["offline_scopes"]["items"]
        if one["offlineScopes"]
    }


@cache
def _read(file: Path) -> dict[str, Any]:
    with gzip.open(file) as opened:
        return dict(json.load(opened))
