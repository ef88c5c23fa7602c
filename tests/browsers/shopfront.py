"""A shop whose stock anybody may see, and pages of it with badges."""

import html
import json
from dataclasses import dataclass

from stockwire import AsyncClient, receipt
from tests.browsers.site import Site
from tests.browsers.tab import Tab
from tests.harness.servers import Server
from tests.harness.system import System
from tests.hub.shop import Shop

SEEN = """(one => {
  const shown = one.shadowRoot?.querySelector(".badge").className.split(" ")[1] ?? "text";
  return shown === "text" ? one : one.shadowRoot.querySelector(`[part=${shown}]`);
})"""
"""JavaScript: the element with the text of a badge that is seen."""


@dataclass(frozen=True, slots=True)
class Shopfront:
    """The location is ``web``; pages stand at ``site``."""

    system: System
    shop: Shop
    site: Site

    @property
    def hub(self) -> Server:
        return self.system.hubs[0]

    async def open(self, *skus: str) -> None:
        """20 of each."""
        async with AsyncClient(self.system.ledger_url, await self.system.admin_key()) as client:
            await client.locations.put("web", "Web")
            for sku in skus:
                await client.items.put(sku, "something")
            await client.operation([receipt(sku, "web", 20) for sku in skus])

    def show(self, name: str, body: str, *, head: str | None = None, inline: bool = False) -> str:
        """URL of a page, under the strictest policy that the badge can do with.

        ``head``: instead of the line that loads the script. ``inline``: the page may have scripts of its own.
        """
        stream = self.hub.stream.removesuffix("/v1/stream")
        self.site.policy = (
            f"default-src 'none'; script-src {self.hub.url}{' ' + repr('unsafe-inline') if inline else ''}; "
            f"style-src 'self'; connect-src {self.hub.url} {stream}; img-src data:; "
            "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'"
        )
        if head is None:
            head = f'<script type="module" src="{self.hub.url}/v1/badge.js"></script>'
        self.site.html[name] = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><title>A shop</title><link rel="icon" href="data:,">'
            f'<link rel="stylesheet" href="/scripts/badge.css">{head}{body}'
        )
        return f"{self.site.origin}/{name}"


def badge(sku: str, attributes: str = "", text: str = "In stock") -> str:
    return f'<stock-badge location="web" sku="{html.escape(sku)}" {attributes}>{text}</stock-badge>'


async def says(tab: Tab, selector: str, text: str) -> None:
    """Waits until a badge has this state and says this word."""
    one = f"document.querySelector({json.dumps(selector)})"
    seen = f"{one}.dataset.state + ': ' + {SEEN}({one}).textContent"
    await tab.wait(f"{seen} === {json.dumps(text)}", f"{selector}: {text}")
