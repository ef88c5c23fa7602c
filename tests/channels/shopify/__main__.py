"""A shop at Shopify: ``python -m tests.channels.shopify [--pace N] [--schema FILE]``, until SIGTERM."""

import argparse
from pathlib import Path

from tests.channels.shared.serving import run
from tests.channels.shopify.marketplace import Shopify
from tests.channels.shopify.schema import FILE

parser = argparse.ArgumentParser(prog="python -m tests.channels.shopify")
parser.add_argument("--schema", type=Path, default=FILE, help="admin_2026-10.json.gz of @shopify/dev-mcp: `make peers`")
run("shopify", lambda options: Shopify(options.pace, options.schema), parser)
