"""What the console asks of a running `stockwire up` is what its keys do, and nobody else may ask."""

import asyncio
import io
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from cli.launch import Watchdog
from cli.terminal.control_socket import ACTS, ControlSocket
from cli.terminal.controls import Controls
from cli.terminal.key_table import KEYS, Action
from cli.terminal.screen import Screen
from console.following.control import Control, ControlAway
from console.web.acts import UP_ACTS
from tests.harness.waiting import PATIENCE_S, wait_until


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Path, io.StringIO]]:
    """The socket, and what the terminal shows. Nothing runs in ``folder``, so whatever is begun fails, in words."""
    shown = io.StringIO()
    path = folder / "up.sock"
    async with asyncio.TaskGroup() as tasks:
        controls = Controls(folder, Watchdog(), Screen(shown), tasks, 2, lambda: None)
        serving = tasks.create_task(ControlSocket(path, controls).run())

        async def listening() -> bool:
            return path.exists()

        await wait_until(listening, PATIENCE_S)
        try:
            yield path, shown
        finally:
            serving.cancel()


async def test_only_the_owner_of_the_folder_may_ask(tmp_path: Path) -> None:
    async with served(tmp_path) as (path, _):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_what_was_begun_and_what_was_said_of_it_is_told_in_the_words_of_the_terminal(tmp_path: Path) -> None:
    async with served(tmp_path) as (path, shown):
        control = Control(path)
        assert await control.ask({"ask": "act", "what": "kill-hub"}) == {"refused": None, "said": "kill a hub: begun"}

        async def said() -> Any:
            return (await control.ask({"ask": "state"}))["said"]

        (note,) = await wait_until(said, PATIENCE_S)
        assert note["text"].startswith(f"! kill a hub: no `stockwire up` runs in {tmp_path}")
        assert note["text"] in shown.getvalue()
        assert (await control.ask({"ask": "state"}))["under_way"] == []


@pytest.mark.parametrize("line", [b"", b"nonsense", b"[]", b'{"ask": "act", "what": "quit"}', b'{"ask": "act"}'])
async def test_what_is_not_to_be_asked_for_here_is_not_answered(tmp_path: Path, line: bytes) -> None:
    async with served(tmp_path) as (path, _):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(line + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        writer.close()
        assert (await Control(path).ask({"ask": "state"})) == {"under_way": [], "said": []}


async def test_a_console_without_an_up_says_so(tmp_path: Path) -> None:
    for socket in (None, tmp_path / "nobody.sock"):
        with pytest.raises(ControlAway):
            await Control(socket).ask({"ask": "state"})


def test_every_button_is_a_key() -> None:
    assert tuple(ACTS) == UP_ACTS
    assert {*ACTS.values(), Action.QUIT, Action.HELP} == set(KEYS.values())
