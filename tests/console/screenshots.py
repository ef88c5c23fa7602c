"""Pictures of every page of a running console, to be looked at: `make screenshots`, while `make up` runs.

    python -m tests.console.screenshots [--data .stockwire] [--url URL --key KEY] [--to build/screenshots] [--docs]

``--docs`` writes those that the documentation shows, docs/pictures/console-*.webp, and no others.
"""

import argparse
import asyncio
import base64
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.browsers.browser import CHROMIUM, started
from tests.browsers.tab import SEVERE, Tab
from tests.harness.source import ROOT

PICTURES = ROOT / "docs" / "pictures"
QUALITY = 82
"""Of WebP: no letter is blurred, and a picture stays below 200 KB."""
SETTLED_S = 4.0
"""Charts and rates need a few seconds of what happens."""
AT_WORK_S = 25.0
"""Of the picture for the documentation: its figures are of a page that has been open for a while."""
TALL_MAX = 2_400


@dataclass(frozen=True, slots=True)
class Look:
    width: int
    height: int
    scheme: str
    scale: float = 1.0
    forced_colors: str = "none"


WELL = (
    "document.querySelector('ul.wrong, .figures .unknown') === null && document.querySelectorAll('tbody tr').length > 9"
)
"""A picture for the documentation shows a system that is well, at work."""
LOOKS = {
    "light": Look(1440, 900, "light"),
    "dark": Look(1440, 900, "dark"),
    "phone": Look(390, 844, "light", 2.0),
    "narrow": Look(320, 640, "dark", 2.0),
    "zoomed": Look(640, 450, "light", 2.0),
    "forced": Look(1280, 900, "dark", forced_colors="active"),
}
WALL = Look(1920, 1080, "dark")
DOCS = Look(1440, 1020, "light", 1.5)
PAGES = ("launch", "stock", "log", "nodes", "problems", "holds")


async def main(url: str, key: str, folder: Path, *, docs: bool) -> int:
    """Exit status 1 if a page printed an error, or reaches beyond the screen."""
    with tempfile.TemporaryDirectory() as profile, started(CHROMIUM, Path(profile)) as browser:
        tab = Tab(browser, browser.bidi.asked("browsingContext.create", {"type": "tab"})["context"])
        await _sign_in(tab, url, key)
        wrong = await _document(tab, url) if docs else await _look(tab, url, folder)
        wrong += tab.console(SEVERE)
    for line in wrong:
        sys.stderr.write(f"{line}\n")
    return int(bool(wrong))


async def _look(tab: Tab, url: str, folder: Path) -> list[str]:
    wrong: list[str] = []
    level = await _a_level(tab, url)
    for name, look in LOOKS.items():
        await _set(tab, look)
        for page in (*PAGES, "level"):
            await _open(tab, url + (level if page == "level" else f"/{page}"))
            beside = await tab.evaluate("document.documentElement.scrollWidth - innerWidth")
            if beside > 0:
                wrong.append(f"{page}, {name}: {beside} px beside the screen")
            await _tall(tab, look)
            _write(folder / f"{page}-{name}.png", await _picture(tab, {"format": "png"}))
            await _set(tab, look)
    await _set(tab, WALL)
    await _open(tab, f"{url}/launch?wall=1")
    _write(folder / "wall.png", await _picture(tab, {"format": "png"}))
    return wrong


async def _document(tab: Tab, url: str) -> list[str]:
    for scheme in ("light", "dark"):
        await _set(tab, replace(DOCS, scheme=scheme))
        await _open(tab, f"{url}/launch")
        await asyncio.sleep(AT_WORK_S)
        await tab.wait(WELL, "nothing is wrong, and every figure is known")
        _write(PICTURES / f"console-{scheme}.webp", await _picture(tab, {"format": "webp", "quality": QUALITY}))
    return []


async def _sign_in(tab: Tab, url: str, key: str) -> None:
    await tab.open(url)
    await tab.wait("document.activeElement.name === 'key'")
    await tab.press(*key, "\ue007")
    await tab.wait("document.querySelector('main.page') !== null", "signed in")


async def _a_level(tab: Tab, url: str) -> str:
    """The address of one that has moved lately."""
    await _open(tab, f"{url}/log")
    address: str = await tab.wait("document.querySelector('tbody a[href^=\"/level\"]').getAttribute('href')")
    return f"{address}&at=2026-01-01T12:00:00Z"


async def _open(tab: Tab, address: str) -> None:
    await tab.open(address)
    await tab.wait("document.querySelector('main.page') !== null && document.querySelector('.empty.waits') === null")
    await asyncio.sleep(SETTLED_S)


async def _set(tab: Tab, look: Look) -> None:
    metrics: Mapping[str, Any] = {"width": look.width, "height": look.height, "deviceScaleFactor": look.scale}
    await tab.cdp("Emulation.setDeviceMetricsOverride", **metrics, mobile=False)
    media = {"prefers-color-scheme": look.scheme, "forced-colors": look.forced_colors}
    await tab.cdp("Emulation.setEmulatedMedia", features=[{"name": one, "value": media[one]} for one in media])


async def _tall(tab: Tab, look: Look) -> None:
    """As high as the page is, up to a bound."""
    height = await tab.evaluate("document.documentElement.scrollHeight")
    if height > look.height:
        await _set(tab, replace(look, height=min(height, TALL_MAX)))
        await tab.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))")


async def _picture(tab: Tab, options: Mapping[str, Any]) -> bytes:
    return base64.b64decode((await tab.cdp("Page.captureScreenshot", **options))["data"])


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _running(data: Path) -> tuple[str, str]:
    """The console of the `stockwire up` in ``data``, and its key."""
    run = json.loads((data / "run.json").read_text())
    return run["console"], run["key"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT / ".stockwire")
    parser.add_argument("--url")
    parser.add_argument("--key")
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "screenshots")
    parser.add_argument("--docs", action="store_true")
    given = parser.parse_args()
    url, key = (given.url, given.key) if given.url else _running(given.data)
    sys.exit(asyncio.run(main(url.rstrip("/"), key, given.to, docs=given.docs)))
