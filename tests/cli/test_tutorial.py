"""docs/tutorial.md, followed from its first block to its last on a running `stockwire up`."""

import asyncio
import json
import re
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import pytest

from tests.cli.running import RunningUp
from tests.docs.pages import block, blocks
from tests.docs.running import Reader, line_of
from tests.harness.source import ROOT

pytestmark = pytest.mark.usefixtures("processes")

PAGE = ROOT / "docs" / "tutorial.md"
TIME = re.compile(r'"committed_at":"[^"]+"')


@pytest.fixture
async def newcomer(up: RunningUp, tmp_path: Path) -> Reader:
    """In the clone's folder: `.stockwire` is that of the running system."""
    reader = Reader(tmp_path, up.data, up.run["ledger"], up.run["hubs"])
    await reader.shell(block(PAGE, "sh", "tutorial-key"))
    return reader


class Follower:
    """Runs the page's commands in their order and compares what they print with what the page says."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._steps = [
            found for found in blocks(PAGE, "tutorial") if found.language != "python" and found.language != "js"
        ]

    async def next(self) -> str:
        """The next command."""
        command = self._steps.pop(0)
        assert command.verb == "run"
        printed = await self._reader.shell(command.text)
        if self._steps and self._steps[0].verb == "output":
            expected = self._steps.pop(0)
            if expected.language == "json":
                assert json.loads(printed) == json.loads(expected.text)
            else:
                assert printed == expected.text
        return printed

    @property
    def done(self) -> bool:
        return not self._steps


class Screen:
    """``shows`` reads to the next line that the page shows of this screen; others (freshness, more tries) pass by."""

    def __init__(self, lines: asyncio.StreamReader, name: str) -> None:
        self._lines = lines
        self._shown = [
            line for found in blocks(PAGE, name) if found.verb == "output" for line in found.text.splitlines()
        ]

    async def shows(self) -> None:
        expected = TIME.sub("", self._shown.pop(0))
        while TIME.sub("", line := await line_of(self._lines)) != expected:
            assert "freshness" in line or "reconnecting" in line or line == "the hub is away", (line, expected)

    async def reads_to(self, part: str) -> None:
        while part not in await line_of(self._lines):
            pass

    @property
    def done(self) -> bool:
        return not self._shown


def browser(reader: Reader, up: RunningUp) -> AbstractAsyncContextManager[asyncio.StreamReader]:
    return reader.script_running(block(PAGE, "js", "tutorial"), READ_TOKEN=up.run["read_token"])


async def test_the_tutorial_works_from_the_first_sale_to_two_screens(newcomer: Reader, up: RunningUp) -> None:
    follower = Follower(newcomer)
    for _ in ("location", "item", "receive", "level"):
        await follower.next()
    async with AsyncExitStack() as stack:
        watch = await stack.enter_async_context(newcomer.shell_running(block(PAGE, "sh", "tutorial-terminal")))
        program = await stack.enter_async_context(newcomer.python_running(block(PAGE, "python", "tutorial")))
        page = await stack.enter_async_context(browser(newcomer, up))
        terminal, screen = Screen(watch, "tutorial-terminal"), Screen(program, "tutorial-program")
        await terminal.shows()
        await screen.shows()
        assert await line_of(page) == "TEA-1: 3 left"

        await follower.next()  # a sale
        await terminal.shows()
        await screen.shows()
        assert await line_of(page) == "TEA-1: 2 left"
        await follower.next()  # the same key again: were it a sale, the next line on the screens would be 1 left
        await follower.next()  # refused
        await follower.next()  # sold out
        await screen.shows()
        await terminal.reads_to('"available":0')
        assert await line_of(page) == "TEA-1: 0 left"

        before = up.run["pids"]
        await follower.next()  # the hubs are killed
        await screen.shows()
        await screen.shows()
        await terminal.reads_to('"recovered":true')
        await follower.next()  # a delivery
        await screen.shows()
        await terminal.reads_to('"available":5')
        while await line_of(page) != "TEA-1: 5 left":
            pass
        await up.replaced(before, "hub-1", "hub-2")
    history = json.loads(await follower.next())["events"]
    assert [event["on_hand_delta"] for event in history] == [3, -1, -2, 5]
    assert follower.done
    assert terminal.done
    assert screen.done


def test_the_function_for_browsers_is_that_of_the_readme() -> None:
    """Whoever copies the one or the other gets the same."""
    ours, theirs = block(PAGE, "js", "tutorial"), block(ROOT / "README.md", "js", "subscribe")
    assert ours.partition("\nwatch(")[0] == theirs.partition("\nwatch(")[0]


def test_every_block_of_the_page_is_run_or_compared() -> None:
    named = {(found.verb, found.name) for found in blocks(PAGE)}
    assert named == {
        ("run", "tutorial-key"),
        ("run", "tutorial"),
        ("output", "tutorial"),
        ("run", "tutorial-terminal"),
        ("output", "tutorial-terminal"),
        ("output", "tutorial-program"),
    }
