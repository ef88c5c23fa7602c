"""One running `stockwire up` for the tests of this folder; whoever stops it starts it again.

It takes a tenth of a processor for as long as it runs, and ends when a worker leaves this folder: whoever asks for it
comes last.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import RunningUp, gone

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = [place for place, item in enumerate(items) if item.path.parent == FOLDER]
    for place, item in zip(places, who_asks_last([items[place] for place in places]), strict=True):
        items[place] = item


def who_asks_last(items: list[pytest.Item]) -> list[pytest.Item]:
    """Files stay whole, and each of the two halves in its order."""
    asking = {item.path for item in items if "up" in getattr(item, "fixturenames", ())}
    return sorted(items, key=lambda item: item.path in asking)


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


@pytest.fixture
def servers(database_url: str, redis_url: str, channel_prefix: str) -> dict[str, str]:
    """Settings by which an `up` takes the run's own database and broker."""
    return {
        "STOCKWIRE_DATABASE_URL": database_url,
        "STOCKWIRE_REDIS_URL": redis_url,
        "STOCKWIRE_CHANNEL_PREFIX": channel_prefix,
    }
