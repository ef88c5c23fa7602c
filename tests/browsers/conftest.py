"""Both browsers, started once for a run, and the tests' own web server, whose pages they show."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from tests.browsers.browser import CHROMIUM, FIREFOX, Browser, started
from tests.browsers.site import Site, serving
from tests.browsers.tab import Tab

NewTab = Callable[[], Awaitable[Tab]]


@pytest.fixture(scope="session", params=[CHROMIUM, FIREFOX])
def browser(
    request: pytest.FixtureRequest, server_folder: Path, tmp_path_factory: pytest.TempPathFactory, processes: None
) -> Iterator[Browser]:
    with started(request.param, tmp_path_factory.mktemp(request.param)) as browser:
        yield browser


@pytest.fixture(scope="session")
def lasting_site(processes: None) -> Iterator[Site]:
    """Its origin is the same for all tests, so that hubs may be told of it."""
    with serving() as site:
        yield site


@pytest.fixture
def site(lasting_site: Site) -> Site:
    lasting_site.reset()
    return lasting_site


@pytest.fixture
async def new_tab(browser: Browser) -> AsyncIterator[NewTab]:
    """``await new_tab()``: one more, before the others. Those of a test share storage with each other alone."""
    visitor = browser.bidi.asked("browser.createUserContext")["userContext"]

    async def new() -> Tab:
        created = browser.bidi.asked("browsingContext.create", {"type": "tab", "userContext": visitor})
        return Tab(browser, created["context"])

    yield new
    browser.bidi.asked("browser.removeUserContext", {"userContext": visitor})
