"""Reading the metrics of a ledger or a hub at its admin port."""

import time

import httpx

from cli.scrape import Scrape, read_scrape
from server.http.page import fetch


async def scrape(http: httpx.AsyncClient, url: str) -> Scrape:
    """``url``: of the admin port. Raises as `fetch`; ValueError for what is no page of metrics."""
    metrics = await fetch(http, f"{url}/metrics")
    if not metrics.ok:
        raise ValueError(f"{url}/metrics answers {metrics.status}")
    ready = await fetch(http, f"{url}/readyz")
    return read_scrape(metrics.text, time.monotonic(), ready=ready.ok)
