"""Following a page from its first block to its last, with nothing but its own lines. See `tests/docs/pages.py`."""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from tests.docs.pages import Block, blocks
from tests.docs.running import Reader, line_of


class Follower:
    """``reader`` stands in the clone's folder with a running system, in the first of the page's terminals."""

    def __init__(self, reader: Reader, page: Path) -> None:
        self._blocks = blocks(page)
        self._reader = reader
        self._terminals: dict[str, Reader] = {}
        self._printed: dict[str, str] = {}
        self._open: dict[str, tuple[AsyncExitStack, asyncio.StreamReader]] = {}
        self._token = ""

    async def follow(self) -> None:
        """Raises AssertionError where the page says another thing than what happens."""
        try:
            await self.follow_blocks(self._blocks)
        finally:
            await self.close()

    async def follow_blocks(self, found: Sequence[Block]) -> None:
        """As ``follow``, these of the page; what they open stays open."""
        for one in found:
            await self._do(one)

    async def close(self) -> None:
        """Ctrl-C in every terminal."""
        for name in list(self._open):
            await self._close(name)

    def printed(self, name: str) -> str:
        """By the last ``run NAME``."""
        return self._printed[name]

    async def _do(self, found: Block) -> None:
        match found.language, found.verb:
            case _, "file":
                (self._reader.folder / found.name).write_text(self._reader.here(found.text))
            case "sh", "run":
                await self._run(found)
            case "sh", "open":
                await self._close(found.name)
                stack = AsyncExitStack()
                lines = await stack.enter_async_context(self._terminal(found.name).shell_running(found.text))
                self._open[found.name] = stack, lines
            case "js", "run":
                await self._open_script(found)
            case _, "example":
                pass
            case _, "output":
                await self._compare(found)
            case _, verb:
                assert not verb, f"nobody knows how to follow {verb} {found.name} of {found.page.name}"

    def _terminal(self, name: str) -> Reader:
        """The page's first is the reader's own."""
        if name not in self._terminals:
            self._terminals[name] = self._reader.another_terminal() if self._terminals else self._reader
        return self._terminals[name]

    async def _run(self, found: Block) -> None:
        printed = self._printed[found.name] = await self._terminal(found.name).shell(found.text)
        if printed.startswith('{"token"'):
            self._token = json.loads(printed)["token"]

    async def _open_script(self, found: Block) -> None:
        """By node; tests/cli/test_page.py pastes it into browsers."""
        stack = AsyncExitStack()
        script = self._reader.script_running(found.text, READ_TOKEN=self._token)
        self._open[found.name] = stack, await stack.enter_async_context(script)

    async def _compare(self, found: Block) -> None:
        meant = _meaning(found.language)
        expected = [meant(line) for line in found.text.splitlines()]
        if found.name not in self._open:
            printed = self._printed[found.name].splitlines()
            assert [meant(line) for line in printed[-len(expected) :]] == expected, self._printed[found.name]
            return
        _, lines = self._open[found.name]
        for line in expected:  # others pass by: that it is behind, a level more than once
            while meant(await line_of(lines)) != line:
                pass

    async def _close(self, name: str) -> None:
        if name in self._open:
            await self._open.pop(name)[0].aclose()


def _meaning(language: str) -> Callable[[str], object]:
    return json.loads if language == "json" else str.rstrip
