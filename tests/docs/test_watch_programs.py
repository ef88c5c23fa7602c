"""Everybody copies a watch program that only listens to changes: it must end right, whatever happens to its hubs."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from stockwire import AsyncClient
from tests.docs.pages import block
from tests.docs.running import Reader
from tests.docs.watching import Program, end_equal_to_the_ledger
from tests.source import ROOT
from tests.system import Grounds, System

PUBLISHED = (
    (ROOT / "README.md", "watch", "shop", "85123A"),
    (ROOT / "docs" / "tutorial.md", "tutorial", "berlin", "TEA-1"),
)
"""Page, name of its Python block, location, sku."""


@pytest.fixture(scope="module")
def mortal_system(grounds: Grounds) -> Iterator[System]:
    """Hubs of its own, to be killed."""
    with grounds.system() as system:
        yield system


async def test_watch_programs_end_equal_to_the_ledger_after_their_hubs_died(
    mortal_system: System, tmp_path: Path
) -> None:
    key = await mortal_system.admin_key()
    programs = []
    for page, name, location, sku in PUBLISHED:
        folder = tmp_path / page.stem
        folder.mkdir()
        reader = Reader.of_system(folder, mortal_system, key)
        run = partial(reader.python_running, block(page, "python", name))
        programs.append(Program(page.name, location, sku, run))
    async with AsyncClient(mortal_system.ledger_url, key) as client:
        await end_equal_to_the_ledger(mortal_system, client, programs)
