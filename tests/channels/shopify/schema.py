"""The Admin API's schema as Shopify ships it: who asks for a field that it does not have is refused."""

import gzip
import json
from functools import cache
from pathlib import Path

from graphql import GraphQLSchema, build_client_schema

from tests.harness.node_peers import PEERS

FILE = PEERS / "shopify" / "admin_2026-10.json.gz"
VERSION = "2026-10"


@cache
def load(file: Path = FILE) -> GraphQLSchema:
    """0.7 s, once. Not validated: Shopify deprecates fields whose interface does not, which is forbidden."""
    with gzip.open(file) as opened:
        return build_client_schema(json.load(opened)["data"], assume_valid=True)
