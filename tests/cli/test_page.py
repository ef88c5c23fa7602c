"""The page in a real browser: cards tick, buying works, what is old looks old, a lost hub comes back, and what is
pasted into the console breaks nothing."""

import asyncio
import json
import os
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from stockwire import Client
from tests.cli.running import RunningUp
from tests.docs.pages import Block, watching_blocks
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

pytestmark = pytest.mark.usefixtures("processes")

SNIPPETS = [found for found in watching_blocks() if found.language == "js"]
WATCHED = re.compile(r"85123A|TEA-1|A-100")
MUTE_SOCKETS = "window.WebSocket = class { send() {} close() {} };"
"""A hub that takes the connection and says nothing."""
OLD = "body[data-old]"
RECORD = """
window.seen = [];
const look = () => {
  const card = document.querySelector(".card"), button = card.querySelector("button");
  seen.push({state: document.getElementById("state").textContent, card: card.innerText, button: button.innerText,
    filled: getComputedStyle(button).backgroundColor !== "rgba(0, 0, 0, 0)",
    bold: Number(getComputedStyle(card.querySelector("b")).fontWeight) > 400});
};
new MutationObserver(look).observe(document.body, {attributes: true, attributeFilter: ["data-old"]});
"""
"""Looks at the page whenever it becomes old, or live again: before anybody can ask, it may be over."""
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        reason = "no chromium and chromedriver on this machine (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("STOCKWIRE_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    options = Options()
    options.binary_location = chromium
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('browser')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield started
    finally:
        started.quit()


def console_lines(browser: WebDriver, level: str = "") -> list[str]:
    """What was printed since this was asked last."""
    entries = browser.execute("getLog", {"type": "browser"})["value"]
    return [entry["message"] for entry in entries if level in entry["level"]]


def looked_at(browser: WebDriver) -> Any:
    return browser.execute_script(RECORD + "look(); return seen.at(-1)")


def recorded(browser: WebDriver, part: str) -> Any:
    """The first look at the page while its state named ``part``."""

    def found() -> list[Any]:
        return [look for look in browser.execute_script("return window.seen") if part in look["state"]]

    wait(browser, found)
    return found()[0]


def wait(browser: WebDriver, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, PATIENCE_S, poll_frequency=0.05).until(lambda _: condition())


def state(browser: WebDriver) -> str:
    return browser.find_element(By.ID, "state").text


def cards(browser: WebDriver) -> list[WebElement]:
    return browser.find_elements(By.CLASS_NAME, "card")


def numbers(browser: WebDriver) -> list[str]:
    return [card.find_element(By.TAG_NAME, "b").text for card in cards(browser)]


@pytest.fixture
def page(browser: WebDriver, up: RunningUp) -> WebDriver:
    browser.get(up.run["page"])
    wait(browser, lambda: state(browser) == "live")
    return browser


def test_cards_tick_as_stock_changes(page: WebDriver, up: RunningUp) -> None:
    assert len(cards(page)) == 24
    before = numbers(page)
    assert all(number.replace(",", "").isdigit() for number in before)
    wait(page, lambda: numbers(page) != before)
    wait(page, lambda: page.find_elements(By.CSS_SELECTOR, "b.down"))
    assert console_lines(page, "SEVERE") == []


def test_buying_one_makes_the_stock_fall(page: WebDriver, up: RunningUp) -> None:
    card = cards(page)[-1]
    button, note = card.find_element(By.TAG_NAME, "button"), card.find_element(By.CLASS_NAME, "note")
    number = card.find_element(By.TAG_NAME, "b")
    before = int(number.text.replace(",", ""))
    assert button.get_attribute(
        "aria-label",
    ).startswith("Buy one ")  # type: ignore[union-attr]
    button.click()
    wait(page, lambda: note.text == "bought, thank you")
    wait(page, lambda: int(number.text.replace(",", "")) != before)
    assert button.is_enabled()


def test_the_page_looks_old_while_its_hub_is_away_and_comes_back(page: WebDriver, up: RunningUp) -> None:
    page.execute_script(RECORD)
    pids = up.run["pids"]
    for name in ("hub-1", "hub-2"):
        os.kill(pids[name], signal.SIGKILL)
    old = recorded(page, "reconnecting")
    moment = old["state"].removeprefix("as of ").removesuffix(", reconnecting")
    assert len(moment.split(":")) == 3
    assert f"in stock at {moment}" in old["card"]
    assert (old["button"], old["filled"], old["bold"]) == ("Try to buy one", False, False)
    wait(page, lambda: state(page) == "live")
    now = looked_at(page)
    assert "in stock at" not in now["card"]
    assert (now["button"], now["filled"], now["bold"]) == ("Buy one", True, True)
    before = numbers(page)
    wait(page, lambda: numbers(page) != before)
    asyncio.run(up.replaced(pids, "hub-1", "hub-2"))  # one of them is enough for the page


def test_what_a_hub_that_is_behind_shows_looks_old(page: WebDriver, up: RunningUp) -> None:
    page.execute_script(RECORD)
    broker = up.run["pids"]["valkey"]
    os.kill(broker, signal.SIGSTOP)
    try:
        old = recorded(page, "the hub is behind")
    finally:
        os.kill(broker, signal.SIGCONT)
    assert old["state"].startswith("as of ")
    assert (old["button"], old["filled"], old["bold"]) == ("Try to buy one", False, False)
    wait(page, lambda: state(page) == "live" and not page.find_elements(By.CSS_SELECTOR, OLD))


def test_what_is_sold_out_says_so_and_cannot_be_bought(page: WebDriver, up: RunningUp) -> None:
    card = cards(page)[-2]
    sku = card.get_attribute("data-sku")
    assert sku
    with Client(up.run["ledger"], up.run["key"]) as client:
        client.stock.count(sku, "shop", 0, if_version=None)
        wait(page, lambda: card.find_element(By.CLASS_NAME, "stock").text == "Sold out")
        assert not card.find_element(By.TAG_NAME, "button").is_enabled()
        client.stock.receive(sku, "shop", 500)
    wait(page, lambda: card.find_element(By.CLASS_NAME, "stock").text.endswith("in stock"))
    assert card.find_element(By.TAG_NAME, "button").is_enabled()


def test_before_the_first_snapshot_nothing_is_said_to_be_in_stock(page: WebDriver, up: RunningUp) -> None:
    mute = page.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": MUTE_SOCKETS})
    try:
        page.get(up.run["page"])
        wait(page, lambda: len(cards(page)) == 24)
        card = cards(page)[0]
        assert state(page) == "connecting"
        assert "not known yet" in card.text
        assert not card.find_element(By.TAG_NAME, "button").is_enabled()
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", mute)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda found: str(found.page.relative_to(ROOT)))
def test_a_snippet_pasted_twice_into_the_console_leaves_the_page_alive(
    page: WebDriver, up: RunningUp, snippet: Block
) -> None:
    """As a plain script, which is stricter than the console of some browsers: nothing may be declared twice."""
    text = snippet.text.replace("READ_TOKEN", json.dumps(up.run["read_token"]))
    for number, hub in enumerate(up.run["hubs"]):
        text = text.replace(f"ws://127.0.0.1:{8090 + 10 * number}/v1/stream", hub)
    for _ in range(2):
        answer = page.execute_cdp_cmd("Runtime.evaluate", {"expression": text})
        assert "exceptionDetails" not in answer, answer
    wait(page, lambda: [line for line in console_lines(page) if WATCHED.search(line)])
    sku = page.find_element(By.CSS_SELECTOR, ".card").get_attribute("data-sku")
    assert sku
    with Client(up.run["ledger"], up.run["key"]) as client:
        client.stock.sell(sku, "shop")
        wait(page, lambda: numbers(page)[0] == f"{client.stock.get(sku, 'shop').available:,}")
    assert state(page) == "live"
