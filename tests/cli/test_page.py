"""The page in a real browser: cards tick, buying works, a lost hub comes back."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.cli.running import RunningUp

WITHIN_S = 30
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


def wait(browser: WebDriver, condition: Callable[[], object]) -> None:
    WebDriverWait(browser, WITHIN_S, poll_frequency=0.05).until(lambda _: condition())


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
    complaints = [entry for entry in page.execute("getLog", {"type": "browser"})["value"] if entry["level"] == "SEVERE"]
    assert complaints == []


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


def test_the_page_comes_back_after_its_hub_was_killed(page: WebDriver, up: RunningUp) -> None:
    page.execute_script(
        "window.states = []; new MutationObserver(() => states.push(document.getElementById('state').textContent))"
        ".observe(document.getElementById('state'), {childList: true, subtree: true, characterData: true})"
    )
    pids = up.run["pids"]
    for name in ("hub-1", "hub-2"):
        os.kill(pids[name], signal.SIGKILL)
    wait(page, lambda: "reconnecting" in page.execute_script("return window.states"))
    wait(page, lambda: state(page) == "live")
    before = numbers(page)
    wait(page, lambda: numbers(page) != before)
    asyncio.run(up.replaced(pids, "hub-1", "hub-2"))  # one of them is enough for the page
