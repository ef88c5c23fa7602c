"""Reading a page of a server's admin port: bounded, whoever answers there."""

from dataclasses import dataclass

import httpx

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
