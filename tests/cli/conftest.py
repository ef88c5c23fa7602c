"""One running `stockwire up` for the tests of this folder; whoever stops it starts it again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import RunningUp, gone


@pytest.fixture(scope="package")
def up(server_folder: Path, tmp_path_factory: pytest.TempPathFactory, processes: None) -> Iterator[RunningUp]:
    """``server_folder``: whose end looks for processes left behind, and must come after ours."""
    folder: Path = tmp_path_factory.mktemp("up")
    running = RunningUp(folder, "--channels", "--replay", "10")  # 40 a second cost a fifth of a processor
    try:
        running.start()
        yield running
        children = running.processes()
    except BaseException:
        running.stop()
        raise
    assert running.stop() == 0, running.output
    assert gone(children) == []
