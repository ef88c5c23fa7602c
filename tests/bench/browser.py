"""What people's browsers load and run: the JavaScript client, in Node, and the console's pages."""

import asyncio
import gzip
import json
from pathlib import Path

from tests.bench.ratio import Row
from tests.bench.shop import Shop
from tests.harness.node import run_node
from tests.harness.source import ROOT

SCRIPTS = Path(__file__).with_name("js")
DEADLINE_S = 120.0
PAGES = ROOT / "console" / "pages"
LOADED = (".html", ".js", ".mjs", ".css", ".svg")
"""Of what lies there; types, licences and settings of tools are not asked for by a browser."""
WEIGHT_KB_MAX = 120.0


async def applying(_shop: Shop, rounds: int) -> list[Row]:
    ours = "CPU of Node for a `level`, 1,000 skus watched, from the text to the listener, told after each 80"
    row = Row("level applied by the JavaScript client", "us", "lower", ours, "JSON.parse of the same text", target=1.5)
    return await _by_node(row, rounds, "applying.mjs")


async def holding(_shop: Shop, rounds: int) -> list[Row]:
    ours, bare = "heap of Node for each of 10,000 watched levels", "a Map of the parsed objects by sku"
    row = Row("level held by the JavaScript client", "bytes", "lower", ours, bare, target=1.4)
    return await _by_node(row, rounds, "holding.mjs")


async def page_weight(_shop: Shop, rounds: int) -> list[Row]:
    row = Row(
        "the console's pages, packed",
        "KB",
        "lower",
        "everything that they are made of, each file by itself in gzip",
        f"{WEIGHT_KB_MAX:g} KB, the bound",
        target=1,
    )
    for _ in range(rounds):
        files = [path for path in PAGES.rglob("*") if path.suffix in LOADED and not path.name.endswith(".d.mts")]
        row.ours.append(sum(len(gzip.compress(path.read_bytes())) for path in files) / 1_000)
        row.bare.append(WEIGHT_KB_MAX)
        row.notes["files"] = str(len(files))
    return [row]


async def _by_node(row: Row, rounds: int, script: str) -> list[Row]:
    for _ in range(rounds):
        printed = await asyncio.to_thread(run_node, "--expose-gc", SCRIPTS / script, timeout_s=DEADLINE_S)
        figures = json.loads(printed)
        row.ours.append(figures["ours"])
        row.bare.append(figures["bare"])
    return [row]
