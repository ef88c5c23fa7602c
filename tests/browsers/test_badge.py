"""`<stock-badge>` on a shop's page: nothing moves, nothing is said that is not so, and the page's policy is kept."""

import base64
import hashlib
import html
import json

from hub.reads.badge_script import FILE
from tests.browsers.browser import CHROMIUM, FIREFOX
from tests.browsers.fixtures import NewTab, sampled_in
from tests.browsers.shopfront import SEEN, Shopfront, badge, says
from tests.browsers.tab import SEVERE, Tab
from tests.harness.waiting import wait_until

BADGES = 200
OTHERS = ("own", "beside", "middle", "end")
SKUS = [f"card-{number}" for number in range((BADGES - len(OTHERS)) // 2)]
"""Each on two cards."""
CANARY = "\N{RIGHT-TO-LEFT OVERRIDE}<img&onerror=hurt()>"
RECORD = """() => {
  Object.assign(globalThis, {moved: 0, changes: [], sent: [], forbidden: []});
  addEventListener("securitypolicyviolation", ({effectiveDirective}) => forbidden.push(effectiveDirective));
  if (globalThis.LayoutShift) new PerformanceObserver(list => {
    for (const entry of list.getEntries()) moved += entry.value;
  }).observe({type: "layout-shift", buffered: true});
  addEventListener("stockchange", ({detail}) => changes.push(detail));
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (text) { sent.push(JSON.parse(text).type); return send.call(this, text); };
}"""
"""Runs before any script of the page, whose policy would not let it."""
BLOCKED = """() => {
  globalThis.WebSocket = class {
    constructor() { setTimeout(() => this.onclose({code: 1006, reason: ""})); }
    close() {}
  };
}"""
PLACES = f"""[...document.querySelectorAll("body *:not([role=status])")].map(one => {{
  const {{left, top, width, height}} = one.getBoundingClientRect();
  if (one.localName !== "stock-badge") return [one.localName, left, top, width, height];
  const text = document.createRange();
  text.selectNodeContents({SEEN}(one));
  return [one.id, text.getBoundingClientRect().left, top, height];
}})"""
"""Where everything is. A badge may have more room than its text, as long as nothing moves for it, its text neither."""
BESIDE = "document.getElementById('elsewhere').getBoundingClientRect().left"
READS = "performance.getEntriesByType('resource').filter(({name}) => name.includes('/v1/availability')).length"


@sampled_in(CHROMIUM)
async def test_two_hundred_badges_move_nothing_and_cost_one_request_and_one_subscription(
    front: Shopfront, new_tab: NewTab
) -> None:
    shop, tab = front.shop, await new_tab()
    await front.open(*OTHERS, *SKUS)
    await shop.sell("web", "own", 20)
    cards = (f"<article><h3>{sku}</h3>{badge(sku)}<button>Buy</button></article>" for sku in SKUS * 2)
    body = "".join(
        (
            *("<p>Tea: ", badge("own", "id=own label=Tea"), "</p>"),
            *("<p class=middle>", badge("middle", "id=middle"), "</p>"),
            *("<p class=beside>", badge("beside", "id=beside"), " <a href=/>Delivery</a> <button>Buy</button></p>"),
            *("<p class=end lang=de-AT>", badge("end", "id=end", "Auf Lager"), "</p>"),
            *("<div class=cards>", *cards, "</div><p>That is all.</p>"),
        )
    )
    await tab.before_each_page(RECORD)
    await tab.open(front.show("plain", body, head=""))
    places = await tab.evaluate(PLACES)
    assert await tab.evaluate("document.querySelector('#own').innerText") == "In stock"

    await tab.open(front.show("badges", body))
    await says(tab, "#own", "out: Sold out")
    await says(tab, "#end", "in-stock: Auf Lager")
    await tab.wait(f"document.querySelectorAll('[data-state]').length === {BADGES}")
    await tab.wait("sent.includes('subscribe')")
    await shop.receive("web", "own", 3)
    await says(tab, "#own", "back: Back in stock")
    await tab.wait("document.querySelector('[role=status]').textContent === 'Tea: Back in stock'")
    await shop.sell("web", "card-7", 17)
    await says(tab, "[sku=card-7]", "low: Few left")
    assert await tab.evaluate(PLACES) == places
    assert await tab.evaluate(READS) == 1
    assert await tab.evaluate("sent.filter(type => type === 'subscribe').length") == 1
    assert await tab.evaluate("globalThis.LayoutShift ? moved : 0") == 0
    assert await tab.evaluate("'LayoutShift' in globalThis") is (tab.browser.name == CHROMIUM)
    told = [change for change in await tab.evaluate("changes") if change["sku"] == "own"]
    assert [(change["state"], change["version"], change["stale"]) for change in told] == [
        ("out", 2, False),
        ("back", 3, False),
    ]
    assert await tab.evaluate("forbidden") == tab.console(SEVERE) == []

    await front.hub.stop()
    await says(tab, "#end", "stale: Auf Lager? (unbestätigt)")
    longer = await tab.evaluate(PLACES)  # words that are longer begin elsewhere where they are centred
    assert [one for one in longer if one[0] not in OTHERS] == [one for one in places if one[0] not in OTHERS]
    await shop.sell("web", "end", 20)
    await front.hub.start()
    await says(tab, "#end", "out: Ausverkauft")
    assert await tab.evaluate("globalThis.LayoutShift ? moved : 0") == 0


async def test_a_product_page_follows_its_variants_and_gives_its_button_back_as_it_was(
    front: Shopfront, new_tab: NewTab
) -> None:
    tab, hurting = await new_tab(), html.escape('<img src="x" onerror="hurt()">')
    await front.open("red", "blue", CANARY)
    await front.shop.sell("web", "blue", 20)
    body = (
        f'<h1>Tea</h1><p>{badge("red", f"""id=one for=buy low="{hurting}" """)} <b id="elsewhere">Ships today</b></p>'
        '<button id="buy" aria-describedby="note">Buy</button><i id="note">Ships today</i>'
    )
    await tab.before_each_page(RECORD)
    integrity = base64.b64encode(hashlib.sha384(FILE.read_bytes()).digest()).decode()
    source = f'src="{front.hub.url}/v1/badge.js?v=1" integrity="sha384-{integrity}" crossorigin'
    await tab.open(front.show("product", body, head=f'<script type="module" {source}></script>'))
    await says(tab, "#one", "in-stock: In stock")
    assert await button_of(tab) == [False, "note"]
    beside = await tab.evaluate(BESIDE)

    await change(tab, "sku", "blue")
    await says(tab, "#one", "out: Sold out")
    assert await button_of(tab) == [True, "note one"]
    await tab.evaluate("void (buy.disabled = false)")  # as themes do with each variant
    await tab.wait("buy.disabled")
    await tab.evaluate("void (next = buy.cloneNode(true), next.disabled = false, buy.replaceWith(next))")
    await tab.wait("document.getElementById('buy').disabled", "the button that came later")
    await change(tab, "sku", "red")
    await says(tab, "#one", "in-stock: In stock")
    await tab.wait("!buy.disabled")

    await front.shop.sell("web", "red", 19)
    await says(tab, "#one", 'low: <img src="x" onerror="hurt()">')
    assert await tab.evaluate(BESIDE) == beside, "there is room for every word from the first moment"
    await change(tab, "sku", CANARY)
    await says(tab, "#one", "in-stock: In stock")
    assert await tab.evaluate("document.images.length + one.shadowRoot.querySelectorAll('img').length") == 0
    await change(tab, "lang", "fr")
    await says(tab, "#one", "in-stock: En stock")

    reads = await tab.evaluate(READS)
    await tab.evaluate("void (elsewhere.append(one), one.after(Object.assign(one.cloneNode(true), {id: 'two'})))")
    await says(tab, "#two", "in-stock: En stock")
    assert await tab.evaluate(READS) == reads, "what is moved or cloned is known already"

    await change(tab, "sku", "no-such-thing")
    await tab.wait("!one.hasAttribute('data-state')", "an unknown sku keeps the text inside")
    assert await tab.evaluate("[one.innerText, buy.disabled]") == ["In stock", False]

    async def said() -> list[str]:
        return [line for line in tab.console() if "no-such-thing" in line]

    assert await wait_until(said) == ["stock-badge: no-such-thing at web never had stock: misspelt?"]
    assert await tab.evaluate("forbidden") == tab.console(SEVERE) == []


@sampled_in(FIREFOX)
async def test_where_websockets_are_blocked_a_badge_is_told_by_event_stream(front: Shopfront, new_tab: NewTab) -> None:
    tab = await new_tab()
    await front.open("red")
    await tab.before_each_page(BLOCKED)
    await tab.open(front.show("blocked", badge("red", "id=one")))
    await says(tab, "#one", "in-stock: In stock")
    await front.shop.sell("web", "red", 20)
    await says(tab, "#one", "out: Sold out")  # and not `stale`, as what is read now and then would be
    await tab.open(f"{front.site.other_origin}/blocked")
    await says(tab, "#one", "stale: Sold out? (unconfirmed)")  # an origin that is not allowed may read, and not watch


async def change(tab: Tab, name: str, value: str) -> None:
    await tab.evaluate(f"one.setAttribute({json.dumps(name)}, {json.dumps(value)})")


async def button_of(tab: Tab) -> object:
    return await tab.evaluate("[buy.disabled, buy.getAttribute('aria-describedby')]")
