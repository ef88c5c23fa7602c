"""The browsers do what the tests of this room rely on: hide tabs, cut them off, keep pages, print what fails, end."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.browsers.fixtures import NewTab
from tests.browsers.site import Site
from tests.browsers.tab import SEVERE
from tests.harness.processes import clean_environment
from tests.harness.source import ROOT
from tests.harness.waiting import PATIENCE_S

HOLDS_CHROMIUM = """
import signal, sys
from pathlib import Path
from tests.browsers.browser import CHROMIUM, started
with started(CHROMIUM, Path(sys.argv[1])):
    print("started", flush=True)
    signal.pause()
"""


async def test_a_tab_is_hidden_by_the_next_one_and_sees_what_it_is_asked(new_tab: NewTab, site: Site) -> None:
    first, second = await new_tab(), await new_tab()
    await first.open(site.page("blank"))
    await second.open(site.page("blank"))
    await first.wait("document.visibilityState === 'hidden'")
    await first.show()
    await first.wait("document.visibilityState === 'visible'")
    await second.wait("document.visibilityState === 'hidden'")
    assert await first.evaluate("new Promise(done => requestAnimationFrame(() => done(7)))") == 7


async def test_a_tab_without_network_knows_it_and_gets_it_back(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.set_offline(True)
    await tab.wait("navigator.onLine === false")
    await tab.set_offline(False)
    await tab.wait("navigator.onLine")


async def test_what_fails_on_a_page_is_not_missed(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.evaluate("console.log('all is well')")
    await tab.evaluate("void setTimeout(() => { throw new Error('out of order'); })")
    await tab.wait("new Promise(done => setTimeout(() => done(true), 50))")
    assert "all is well" in tab.console()
    assert any("out of order" in line for line in tab.console(SEVERE))


async def test_a_page_without_connections_comes_back_from_the_cache(new_tab: NewTab, site: Site) -> None:
    tab = await new_tab()
    await tab.open(site.page("blank"))
    await tab.evaluate("addEventListener('pageshow', event => { globalThis.persisted = event.persisted; })")
    await tab.open(site.page("blank", other=True))
    await tab.go(-1)
    assert await tab.wait("globalThis.persisted")


@pytest.mark.usefixtures("processes")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_is_killed_takes_its_browser_along(number: signal.Signals, tmp_path: Path) -> None:
    """Chromium, which its driver starts. Firefox is started by the run itself."""
    run = subprocess.Popen(
        [sys.executable, "-c", HOLDS_CHROMIUM, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=clean_environment({}),
    )
    with run:
        assert run.stdout is not None
        assert run.stdout.readline() == "started\n"
        browser = psutil.Process(run.pid).children(recursive=True)
        run.send_signal(number)
        _, left = psutil.wait_procs(browser, PATIENCE_S)
    for process in left:
        process.kill()
    assert not left
