"""A tab of a browser, as a visitor has it before the eyes or not."""

import asyncio
import base64
import json
from concurrent.futures import Future
from typing import Any

from tests.browsers.bidi import BrowserError, Result, ScriptFailed
from tests.browsers.browser import CHROMIUM, Browser
from tests.harness.waiting import PATIENCE_S, wait_until

SEVERE = "error"


class Tab:
    """``context``: its id in the protocol. A page that it shows stays as it is when another tab comes before it."""

    def __init__(self, browser: Browser, context: str) -> None:
        self.browser = browser
        self.context = context

    async def open(self, url: str) -> None:
        """Until the page is loaded."""
        await self.ask("browsingContext.navigate", url=url, wait="complete")

    async def reload(self) -> None:
        await self.ask("browsingContext.reload", wait="complete")

    async def go(self, delta: int) -> None:
        """-1 is the back button."""
        await self.ask("browsingContext.traverseHistory", delta=delta)

    async def show(self) -> None:
        """In front of the other tabs of its window, which are hidden by that."""
        await self.ask("browsingContext.activate")

    async def close(self) -> None:
        await self.ask("browsingContext.close")

    async def evaluate(self, expression: str) -> Any:
        """Of JavaScript, promises awaited: what JSON can say of it, undefined as None. Raises ScriptFailed."""
        result = await self.run(f"(async () => JSON.stringify(await ({expression})))()")
        return json.loads(result.get("value", "null"))

    async def run(self, script: str) -> Result:
        """As a plain script, as it stands, a promise at its end awaited: the protocol's own value. As ``evaluate``."""
        target = {"context": self.context}
        answer = await self._command("script.evaluate", {"expression": script, "target": target, "awaitPromise": True})
        if answer["type"] == "exception":
            raise ScriptFailed(f"{script}: {answer['exceptionDetails']['text']}")
        result: Result = answer["result"]
        return result

    async def wait(self, expression: str, what: str = "") -> Any:
        """Until it is true of the page, whichever stands there: its value."""

        async def condition() -> Any:
            return await self.evaluate(expression)

        return await wait_until(condition, PATIENCE_S, what=what or expression, swallow=BrowserError)

    async def before_each_page(self, script: str) -> None:
        """A function that runs in this tab before any script of a page does."""
        await self._command("script.addPreloadScript", {"functionDeclaration": script, "contexts": [self.context]})

    async def click(self, selector: str) -> None:
        """With the pointer, in the middle of what ``selector`` names, scrolled into sight."""
        x, y = await self.evaluate(
            f"(() => {{ const one = document.querySelector({json.dumps(selector)});"
            " one.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const {x, y, width, height} = one.getBoundingClientRect();"
            " return [Math.round(x + width / 2), Math.round(y + height / 2)]; })()"
        )
        moves = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        await self.ask("input.performActions", actions=[{"type": "pointer", "id": "mouse", "actions": moves}])

    async def press(self, *keys: str) -> None:
        """One after the other, as of ``input.performActions``: a letter, or ``\\ue004`` for Tab."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        await self.ask("input.performActions", actions=[{"type": "key", "id": "keys", "actions": actions}])

    async def set_viewport(self, width: int, height: int) -> None:
        await self.ask("browsingContext.setViewport", viewport={"width": width, "height": height})

    async def screenshot(self) -> bytes:
        """PNG of what is in sight."""
        return base64.b64decode((await self.ask("browsingContext.captureScreenshot"))["data"])

    async def set_offline(self, offline: bool) -> None:
        """As by the switch in the developer tools: ``navigator.onLine``, its events, and nothing connects."""
        conditions = {"type": "offline"} if offline else None
        await self._command(
            "emulation.setNetworkConditions", {"networkConditions": conditions, "contexts": [self.context]}
        )

    async def cdp(self, method: str, **parameters: Any) -> Result:
        """Of the Chrome DevTools Protocol, for what BiDi lacks; only Chromium has it."""
        result: Result = (await asyncio.wrap_future(await self._devtools(method, parameters)))["result"]
        return result

    async def crash(self) -> None:
        """Its process dies at once, as of too little memory; only Chromium knows how. The tab itself stays."""
        await self._devtools("Page.crash", {})  # which is never answered

    def console(self, level: str | None = None) -> list[str]:
        """What its pages printed, newest last; with ``level`` (SEVERE) only that. A script that failed is an error."""
        entries = [entry for entry in list(self.browser.bidi.console) if entry["source"].get("context") == self.context]
        return [str(entry["text"]) for entry in entries if level in (None, entry["level"])]

    async def ask(self, method: str, **parameters: Any) -> Result:
        """A command about this tab."""
        return await self._command(method, {"context": self.context, **parameters})

    async def _devtools(self, method: str, parameters: Result) -> "Future[Result]":
        assert self.browser.name == CHROMIUM
        session = (await self.ask("goog:cdp.getSession"))["session"]
        command = {"method": method, "params": parameters, "session": session}
        return self.browser.bidi.ask("goog:cdp.sendCommand", command)

    async def _command(self, method: str, parameters: Result) -> Result:
        return await asyncio.wrap_future(self.browser.bidi.ask(method, parameters))
