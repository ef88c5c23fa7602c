"""For every room that needs a browser: Chromium and Firefox, started once for a file, and tabs in them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from tests.browsers.browser import CHROMIUM, FIREFOX, Browser, started
from tests.browsers.site import Site, serving
from tests.browsers.tab import Tab
from tests.harness.size import SIZE

Test = TypeVar("Test", bound=Callable[..., Any])
NewTab = Callable[[], Awaitable[Tab]]
Browsers = Callable[[str], Browser]
BOTH = [CHROMIUM, FIREFOX]


def sampled_in(browser: str) -> Callable[[Test], Test]:
    """A test of what our pages and servers do, more than of what a browser does: in this one, and where campaigns are
    whole in both. What a browser has of its own (storage, tabs, pages that are hidden or come back) is tried in both.
    """
    parametrized = pytest.mark.parametrize("browser", BOTH if SIZE.share >= 1 else [browser], indirect=True)

    def marked(test: Test) -> Test:
        return cast(Test, pytest.mark.usefixtures("sized")(parametrized(test)))

    return marked


@pytest.fixture(scope="module")
def browsers(server_folder: Path, tmp_path_factory: pytest.TempPathFactory, processes: None) -> Iterator[Browsers]:
    """By name, each started when it is asked for first. One that waits for another file costs more than to start it."""
    with ExitStack() as stack:

        @cache
        def start(name: str) -> Browser:
            return stack.enter_context(started(name, tmp_path_factory.mktemp(name)))

        yield start


@pytest.fixture(params=BOTH)
def browser(request: pytest.FixtureRequest, browsers: Browsers) -> Browser:
    """Either: a test that asks for it, or for a tab, runs in both, or is ``sampled_in`` one."""
    return browsers(request.param)


@pytest.fixture
async def new_tab(browser: Browser) -> AsyncIterator[NewTab]:
    """``await new_tab()``: one more, before the others. Those of a test share storage with each other alone."""
    visitor = browser.bidi.asked("browser.createUserContext")["userContext"]

    async def new() -> Tab:
        created = browser.bidi.asked("browsingContext.create", {"type": "tab", "userContext": visitor})
        return Tab(browser, created["context"])

    yield new
    browser.bidi.asked("browser.removeUserContext", {"userContext": visitor})


@pytest.fixture(scope="session")
def lasting_site(processes: None) -> Iterator[Site]:
    """Its origin is the same for all tests, so that hubs may be told of it."""
    with serving() as site:
        yield site


@pytest.fixture
def site(lasting_site: Site) -> Site:
    lasting_site.reset()
    return lasting_site
