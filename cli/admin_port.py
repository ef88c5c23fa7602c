"""Reading the admin port of a ledger or a hub: bounded, whoever answers there."""

import time
from dataclasses import dataclass

import httpx

from cli.scrape import Scrape, read_scrape

PAGE_BYTES_MAX = 2**20
"""Our pages have some tens of kilobytes: whoever sends more is none of ours, or must not fill our memory."""


class PageTooLarge(Exception):
    """An answer is longer than PAGE_BYTES_MAX; the rest of it was not read."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    text: str

    @property
    def ok(self) -> bool:
        return self.status == httpx.codes.OK


async def fetch(http: httpx.AsyncClient, url: str) -> Page:
    """Raises httpx.HTTPError, httpx.InvalidURL, PageTooLarge; ValueError for what is no text."""
    content = bytearray()
    async with http.stream("GET", url) as answer:
        async for part in answer.aiter_bytes():
            content += part
            if len(content) > PAGE_BYTES_MAX:
                raise PageTooLarge(f"{url} sends more than {PAGE_BYTES_MAX:,} bytes")
    return Page(answer.status_code, content.decode())


async def scrape(http: httpx.AsyncClient, url: str) -> Scrape:
    """``url``: of the admin port. Raises as `fetch`; ValueError for what is no page of metrics."""
    metrics = await fetch(http, f"{url}/metrics")
    if not metrics.ok:
        raise ValueError(f"{url}/metrics answers {metrics.status}")
    ready = await fetch(http, f"{url}/readyz")
    return read_scrape(metrics.text, time.monotonic(), ready=ready.ok)
